import type { FastifyInstance } from 'fastify';

/**
 * The methods of each path. Fastify takes a path with another method for an unknown path, but clients
 * must learn the difference (RFC 9110, 15.5.6). Create it before the routes.
 */
export class AllowedMethods {
  private readonly routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];

  constructor(fastify: FastifyInstance) {
    fastify.addHook('onRoute', ({ url, method }) => {
      this.routes.push({ pattern: patternOf(url), methods: [method].flat() });
    });
  }

  /** @returns the value of an Allow header; empty for a path without routes */
  of(url: string): string {
    const [path = ''] = url.split('?', 1);
    const found = this.routes.filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => methods))].join(', ');
  }
}

/** For the forms of URLs that this program uses: `:name` for one segment, `*` for the rest. */
function patternOf(url: string): RegExp {
  const source = url
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/:\w+/g, '[^/]+')
    .replaceAll('*', '.*');
  return new RegExp(`^${source}$`);
}
