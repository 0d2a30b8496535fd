import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { issuesDevTokens } from '../platform/auth';
import { Environment } from '../platform/config';
import { pageHeaders } from '../platform/http';

/** The page of the live boards: a single file that loads no other file. */
@ApiExcludeController()
@Controller()
export class LivePageController {
  private readonly page: string;
  private readonly headers: Record<string, string>;

  constructor(environment: Environment) {
    const page = readFileSync(join(__dirname, 'live-page.html'), 'utf8');
    // The hearts send likes with development tokens.
    this.page = issuesDevTokens(environment) ? page : page.replace(' data-hearts', '');
    this.headers = {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      ...pageHeaders(
        `default-src 'none'; script-src ${hashOf('script', page)}; ` +
          `style-src ${hashOf('style', page)}; img-src data:; connect-src 'self'`,
      ),
    };
  }

  @Get()
  show(@Res({ passthrough: true }) reply: FastifyReply): string {
    reply.headers(this.headers);
    return this.page;
  }
}

/** The hash of the page's only element of that tag, so that the browser runs no other. */
function hashOf(tag: 'script' | 'style', page: string): string {
  const text = page.slice(page.indexOf(`<${tag}>`) + tag.length + 2, page.indexOf(`</${tag}>`));
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
