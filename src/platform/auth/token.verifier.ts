import { Injectable } from '@nestjs/common';
import { type CryptoKey, errors, type JWTPayload, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { Environment } from '../config';
import { isId, parseId } from '../http';
import { UnauthorizedError } from './auth.errors';
import { KEY_SET_ALGORITHMS, KeySet, type KeySetAlgorithm } from './key-set';
import { signingSecret } from './signing-secret';

/** How far the clocks of issuer and program may differ, for `exp` and `nbf`. */
const CLOCK_TOLERANCE_SECONDS = 5;
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
  private readonly keySet: KeySet | null;

  constructor(environment: Environment) {
    this.secret = signingSecret(environment);
    this.keySet = environment.JWT_JWKS_URL ? new KeySet(environment.JWT_JWKS_URL) : null;
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
    const payload = await this.payloadOf(bearerToken(authorization));
    // The standard demands a string, but some issuers write numeric ids as JSON numbers.
    const sub: unknown = payload.sub;
    const userId = isId(sub) ? sub : parseId(sub);
    if (userId === null) throw new UnauthorizedError('the sub claim of the token is not a user id');
    this.trusted.set(authorization, { userId, trustedUntil: trustedUntil(payload) });
    return userId;
  }

  /**
   * Each kind of key verifies only its own algorithms: an HS256 token that was signed with a public key
   * as its secret never reaches the key set, and `none` reaches neither.
   */
  private async payloadOf(token: string): Promise<JWTPayload> {
    const { alg, kid } = headerOf(token);
    if (this.secret && alg === 'HS256') {
      const payload = await verified(token, alg, [this.secret]);
      if (payload) return payload;
    } else if (this.keySet && isKeySetAlgorithm(alg)) {
      if (kid !== undefined && typeof kid !== 'string') throw notValid();
      const payload =
        (await verified(token, alg, await this.keySet.candidates(alg, kid))) ??
        (await verified(token, alg, await this.keySet.newCandidates(alg, kid)));
      if (payload) return payload;
    } else throw new UnauthorizedError('the token is not valid: its algorithm is not accepted');
    throw notValid();
  }
}

const isKeySetAlgorithm = (alg: unknown): alg is KeySetAlgorithm =>
  (KEY_SET_ALGORITHMS as unknown[]).includes(alg);

/**
 * The token's claims, when one of the keys has signed it; otherwise null.
 * @throws UnauthorizedError (401) when the token has expired, is not valid yet, or is no JWT
 */
async function verified(
  token: string,
  alg: string,
  keys: readonly (CryptoKey | Uint8Array)[],
): Promise<JWTPayload | null> {
  const options = { algorithms: [alg], clockTolerance: CLOCK_TOLERANCE_SECONDS };
  for (const key of keys)
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (error instanceof errors.JWSSignatureVerificationFailed) continue;
      throw rejection(error);
    }
  return null;
}

function bearerToken(authorization: string): string {
  const token = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization)?.[1];
  if (token === undefined)
    throw new UnauthorizedError('the Authorization header is not of the form "Bearer <token>"');
  return token;
}

function headerOf(token: string): { alg?: unknown; kid?: unknown } {
  const [header = ''] = token.split('.', 1);
  try {
    const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as {
      alg?: unknown;
      kid?: unknown;
    };
    return { alg, kid: kid ?? undefined };
  } catch {
    throw new UnauthorizedError('the token is not a JWT');
  }
}

function trustedUntil({ exp }: JWTPayload): number {
  const expiry = exp === undefined ? Infinity : (exp + CLOCK_TOLERANCE_SECONDS) * 1000;
  return Math.min(Date.now() + TRUSTED_FOR_MS, expiry);
}

const notValid = (): UnauthorizedError => new UnauthorizedError('the token is not valid');

/** Other errors are faults of this program: they must not look like the client's. */
function rejection(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return new UnauthorizedError('the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf')
    return new UnauthorizedError('the token is not valid yet');
  return error instanceof errors.JOSEError ? notValid() : error;
}
