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

/** Milliseconds for which a verified token is believed without checking its signature again. */
const TRUST_TIME = 60_000;
/** Characters of all headers that are remembered: 50,000 of a usual token and more. */
const TRUSTED_SIZE = 32 * 1024 * 1024;

interface TrustedToken {
  userId: number;
  /** Milliseconds since the epoch from which it must be verified again. */
  until: number;
}

/**
 * Tells whose a bearer token is: HS256 by the shared secret, RS256 and ES256 by the key set at
 * JWT_JWKS_URL. Verified tokens are remembered for a minute, never beyond their expiry, since a
 * signature costs more than the rest of a hot request.
 */
@Injectable()
export class TokenVerifier {
  private readonly trusted = new LRUCache<string, TrustedToken>({
    maxSize: TRUSTED_SIZE,
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
   * The user id in the `sub` of a header's bearer token; at once for one seen lately.
   * @param authorization the whole header, by which the token is remembered
   * @throws UnauthorizedError (401) unless the token is valid and `sub` an id
   * @throws UnavailableError (503) when the key set cannot be fetched
   */
  verify(authorization: string): number | Promise<number> {
    const known = this.trusted.get(authorization);
    if (known && known.until > Date.now()) return known.userId;
    return this.verifySignature(authorization);
  }

  private async verifySignature(authorization: string): Promise<number> {
    const { payload } = await this.checked(bearerToken(authorization));
    // A string by the standard; some issuers write their numeric ids as numbers even so.
    const sub: unknown = payload.sub;
    const userId = isId(sub) ? sub : parseId(sub);
    if (userId === null) throw new UnauthorizedError('the sub of the token is not a user id');
    this.trusted.set(authorization, { userId, until: trustedUntil(payload) });
    return userId;
  }

  private async checked(token: string): Promise<JWTVerifyResult> {
    try {
      // Each kind of key verifies its own algorithms only: an HS256 token signed with a public key
      // as its secret never reaches the key set, and `none` reaches neither.
      if (this.secret && algorithmOf(token) === 'HS256')
        return await jwtVerify(token, this.secret, { algorithms: ['HS256'] });
      if (this.keySet)
        return await jwtVerify(token, this.keySet, { algorithms: ['RS256', 'ES256'] });
    } catch (error) {
      throw rejection(error);
    }
    throw new UnauthorizedError('the token is not valid: its algorithm is not accepted here');
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
  return Math.min(Date.now() + TRUST_TIME, exp === undefined ? Infinity : exp * 1000);
}

function rejection(error: unknown): Error {
  if (error instanceof UnauthorizedError) return error;
  if (error instanceof errors.JWTExpired) return new UnauthorizedError('the token has expired');
  // jose has no class of its own for a key set that answers anything but 200.
  const keySetIsAway =
    !(error instanceof errors.JOSEError) ||
    error instanceof errors.JWKSTimeout ||
    error.code === errors.JOSEError.code;
  if (keySetIsAway) return new UnavailableError('key set', String(error), error);
  return new UnauthorizedError('the token is not valid');
}
