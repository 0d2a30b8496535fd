import type { Environment } from '../config';

/** Known to everybody, so that examples work at once; never used in production. */
const DEVELOPMENT_SECRET = 'webook-development-secret';

/** The HS256 secret, or null where such tokens are not accepted (production with a key set only). */
export function signingSecret(environment: Environment): Uint8Array | null {
  const secret =
    environment.JWT_SECRET ??
    (environment.NODE_ENV === 'production' ? undefined : DEVELOPMENT_SECRET);
  return secret === undefined ? null : new TextEncoder().encode(secret);
}
