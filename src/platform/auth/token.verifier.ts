import { Injectable } from '@nestjs/common';
import {
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyResult,
  jwtVerify,
} from 'jose';
import { LRUCache } from 'lru-cache';
import { Environment } from '../config';
import { UnavailableError } from '../errors';
import { isId, parseId } from '../http';
import { UnauthorizedError } from './auth.errors';
import { signingSecret } from './signing-secret';

/** How long a verified token is accepted without checking its signature again. */
const TRUSTED_FOR_MS = 60_000;
/** Characters of all cached headers together: room for more than 50,000 tokens of usual length. */
const MAX_CACHED_CHARACTERS = 32 * 1024 * 1024;

interface TrustedToken {
  userId: number;
  /** Milliseconds since the epoch, from which on the token must be verified again. */
  trustedUntil: number;
}

/**
 * Finds the user of a bearer token. HS256 is verified with the shared secret, RS256 and ES256 with
 * the key set at JWT_JWKS_URL. Verified tokens are cached for a minute, never beyond their expiry,
 * because checking a signature costs more than the rest of a hot request.
 */
@Injectable()
export class TokenVerifier {
  private readonly trusted = new LRUCache<string, TrustedToken>({
    maxSize: MAX_CACHED_CHARACTERS,
    sizeCalculation: (_token, authorization) => authorization.length,
  });
  private readonly secret: Uint8Array | null;
  private readonly keySet: JWTVerifyGetKey | null;

  constructor(environment: Environment) {
    this.secret = signingSecret(environment);
    this.keySet = environment.JWT_JWKS_URL
      ? createRemoteJWKSet(new URL(environment.JWT_JWKS_URL), { timeoutDuration: 3_000 })
      : null;
  }

  /**
   * The user id in the `sub` claim of a bearer token; without a promise when the token is cached.
   * @param authorization the whole header, which is the cache key
   * @throws UnauthorizedError (401) unless the token is valid and `sub` is an id
   * @throws UnavailableError (503) when the key set cannot be fetched
   */
  verify(authorization: string): number | Promise<number> {
    const known = this.trusted.get(authorization);
    if (known && known.trustedUntil > Date.now()) return known.userId;
    return this.verifySignature(authorization);
  }

  private async verifySignature(authorization: string): Promise<number> {
    const { payload } = await this.checkSignature(bearerToken(authorization));
    // The standard demands a string, but some issuers write numeric ids as JSON numbers.
    const sub: unknown = payload.sub;
    const userId = isId(sub) ? sub : parseId(sub);
    if (userId === null) throw new UnauthorizedError('the sub claim of the token is not a user id');
    this.trusted.set(authorization, { userId, trustedUntil: trustedUntil(payload) });
    return userId;
  }

  private async checkSignature(token: string): Promise<JWTVerifyResult> {
    try {
      // Each kind of key verifies only its own algorithms: an HS256 token that was signed with a
      // public key as its secret never reaches the key set, and `none` reaches neither.
      if (this.secret && algorithmOf(token) === 'HS256')
        return await jwtVerify(token, this.secret, { algorithms: ['HS256'] });
      if (this.keySet)
        return await jwtVerify(token, this.keySet, { algorithms: ['RS256', 'ES256'] });
    } catch (error) {
      throw rejection(error);
    }
    throw new UnauthorizedError('the token is not valid: its algorithm is not accepted');
  }
}

function bearerToken(authorization: string): string {
  const token = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization)?.[1];
  if (token === undefined)
    throw new UnauthorizedError('the Authorization header is not of the form "Bearer <token>"');
  return token;
}

function algorithmOf(token: string): unknown {
  const [header = ''] = token.split('.', 1);
  try {
    return (JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg?: unknown }).alg;
  } catch {
    throw new UnauthorizedError('the token is not a JWT');
  }
}

function trustedUntil({ exp }: JWTPayload): number {
  return Math.min(Date.now() + TRUSTED_FOR_MS, exp === undefined ? Infinity : exp * 1000);
}

function rejection(error: unknown): Error {
  if (error instanceof UnauthorizedError) return error;
  if (error instanceof errors.JWTExpired) return new UnauthorizedError('the token has expired');
  // jose throws its plain base error when the key set answers with a status other than 200.
  const isKeySetUnavailable =
    !(error instanceof errors.JOSEError) ||
    error instanceof errors.JWKSTimeout ||
    error.code === errors.JOSEError.code;
  if (isKeySetUnavailable) return new UnavailableError('key set', String(error), error);
  return new UnauthorizedError('the token is not valid');
}
