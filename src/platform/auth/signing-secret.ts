import type { Environment } from '../config';

/** Public, so that the examples work without configuration; never used in production. */
const DEVELOPMENT_SECRET = 'webook-development-secret';

/** The HS256 secret; null where such tokens are not accepted (production with only a key set). */
export function signingSecret(environment: Environment): Uint8Array | null {
  const secret =
    environment.JWT_SECRET ??
    (environment.NODE_ENV === 'production' ? undefined : DEVELOPMENT_SECRET);
  return secret === undefined ? null : new TextEncoder().encode(secret);
}
