import { Logger } from '@nestjs/common';
import { type CryptoKey, importJWK, type JWK } from 'jose';
import { UnavailableError } from '../errors';

/** The algorithms that a key set verifies, and the kind of key that each needs. */
const KEY_KINDS = {
  RS256: { kty: 'RSA', crv: undefined, members: ['n', 'e'] },
  ES256: { kty: 'EC', crv: 'P-256', members: ['crv', 'x', 'y'] },
} as const;
export type KeySetAlgorithm = keyof typeof KEY_KINDS;
export const KEY_SET_ALGORITHMS = Object.keys(KEY_KINDS) as KeySetAlgorithm[];

const FETCH_TIMEOUT_MS = 3_000;
const MAX_BYTES = 512 * 1024;
/** A token without a key id costs at most one verification for each of them. */
const MAX_KEYS = 100;
/** Smaller RSA keys must not be used (RFC 7518, section 3.3). */
const MIN_RSA_BITS = 2_048;

/** After this time the keys are fetched again; the old ones are used until that has succeeded. */
const REFRESH_AFTER_MS = 10 * 60_000;
/** After this time without a successful fetch the keys are no longer trusted. */
const TRUSTED_FOR_MS = 60 * 60_000;
/** Tokens of unknown keys cause at most one fetch in this time, however many there are. */
const COOLDOWN_MS = 10_000;
/** After a failure nobody waits for another fetch in this time. */
const FAILURE_PAUSE_MS = 5_000;

interface VerificationKey {
  readonly alg: KeySetAlgorithm;
  /** Null when the set names none: the key may be that of any token. */
  readonly kid: string | null;
  readonly key: CryptoKey;
}

/**
 * The public keys at a URL (a JSON Web Key Set, RFC 7517). How often and how much it fetches does not
 * depend on the tokens: anyone can send those.
 */
export class KeySet {
  private readonly logger = new Logger('Auth');
  private keys: readonly VerificationKey[] = [];
  private fetchedAt = -Infinity;
  private triedAt = -Infinity;
  private failure: Error | null = null;
  private fetching: Promise<void> | null = null;

  constructor(private readonly url: string) {}

  /**
   * The keys that may have signed a token: all of the algorithm when the token names none.
   * @throws UnavailableError (503) when there are no keys and they cannot be fetched
   */
  async candidates(alg: KeySetAlgorithm, kid: string | undefined): Promise<CryptoKey[]> {
    const age = Date.now() - this.fetchedAt;
    if (age > TRUSTED_FOR_MS) await this.refresh();
    // The request does not wait for a server that may be slow: the keys it knows are still trusted.
    else if (age > REFRESH_AFTER_MS) void this.refresh().catch(() => undefined);
    return this.matching(alg, kid);
  }

  /**
   * The same for a token that none of the known keys verifies; none when nothing new is known.
   * @throws UnavailableError (503) when the key is unknown and the last fetch has failed
   */
  async newCandidates(alg: KeySetAlgorithm, kid: string | undefined): Promise<CryptoKey[]> {
    const before = this.keys;
    if (Date.now() - this.triedAt >= COOLDOWN_MS) await this.refresh().catch(() => undefined);
    const found = this.matching(alg, kid);
    if (found.length === 0 && this.failure) throw this.failure;
    return this.keys === before ? [] : found;
  }

  private matching(alg: KeySetAlgorithm, kid: string | undefined): CryptoKey[] {
    return this.keys
      .filter((key) => key.alg === alg)
      .filter((key) => kid === undefined || key.kid === null || key.kid === kid)
      .map(({ key }) => key);
  }

  /** Concurrent callers share one fetch; right after a failed one they fail with it. */
  private async refresh(): Promise<void> {
    if (!this.fetching) {
      if (this.failure && Date.now() - this.triedAt < FAILURE_PAUSE_MS) throw this.failure;
      this.fetching = this.load().finally(() => (this.fetching = null));
    }
    return this.fetching;
  }

  private async load(): Promise<void> {
    try {
      this.keys = await this.importAll(await this.fetchKeys());
      this.fetchedAt = Date.now();
      this.failure = null;
    } catch (error) {
      const { message, cause } = error as Error;
      const reason = cause instanceof Error ? `${message} (${cause.message})` : message;
      this.logger.warn(`JWT_JWKS_URL cannot be used, trying again in a while: ${reason}`);
      // Its text is for the log only: clients learn no address and no reason.
      this.failure = new UnavailableError('key set', reason, error);
      throw this.failure;
    } finally {
      this.triedAt = Date.now();
    }
  }

  /** @throws Error unless the answer is a key set of a bounded size */
  private async fetchKeys(): Promise<unknown[]> {
    const response = await fetch(this.url, {
      headers: { accept: 'application/jwk-set+json, application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`its status is ${response.status} instead of 200`);
    }
    const value = JSON.parse(await textOf(response)) as { keys?: unknown } | null;
    const keys = value?.keys;
    if (!Array.isArray(keys)) throw new Error('it is not a key set: it has no list "keys"');
    if (keys.length > MAX_KEYS)
      throw new Error(`it has ${keys.length} keys, but at most ${MAX_KEYS} are accepted`);
    return keys;
  }

  /** Keys that cannot be used are left out: the others of the set must work. */
  private async importAll(keys: readonly unknown[]): Promise<VerificationKey[]> {
    const imported: VerificationKey[] = [];
    for (const [index, jwk] of keys.entries())
      for (const alg of algorithmsOf(jwk))
        try {
          imported.push(await importKey(jwk as JWK, alg));
        } catch (error) {
          this.logger.warn(`Key ${index} of JWT_JWKS_URL is left out: ${(error as Error).message}`);
        }
    return imported;
  }
}

/** @throws Error when the body is too large; it is then not read to its end */
async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop early cancels the body.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
}

/** The algorithms that the key is for; some issuers write absent members as null. */
function algorithmsOf(jwk: unknown): KeySetAlgorithm[] {
  if (typeof jwk !== 'object' || jwk === null) return [];
  const { kty, crv, alg, use, key_ops } = jwk as Record<string, unknown>;
  if ((use ?? 'sig') !== 'sig') return [];
  if (Array.isArray(key_ops) && !key_ops.includes('verify')) return [];
  return KEY_SET_ALGORITHMS.filter((name) => {
    const kind = KEY_KINDS[name];
    return (
      kty === kind.kty && (kind.crv === undefined || crv === kind.crv) && (alg ?? name) === name
    );
  });
}

/** Takes the public members only, whatever else the key has. */
async function importKey(jwk: JWK, alg: KeySetAlgorithm): Promise<VerificationKey> {
  const members = KEY_KINDS[alg].members.map((name) => [name, jwk[name]]);
  const key = (await importJWK({ kty: jwk.kty, ...Object.fromEntries(members) }, alg)) as CryptoKey;
  const { modulusLength = MIN_RSA_BITS } = key.algorithm as { modulusLength?: number };
  if (modulusLength < MIN_RSA_BITS)
    throw new Error(`an RSA key of ${modulusLength} bits is too short`);
  return { alg, kid: typeof jwk.kid === 'string' ? jwk.kid : null, key };
}
