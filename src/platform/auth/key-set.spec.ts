import { Logger } from '@nestjs/common';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { Environment } from '../config';
import { UnavailableError } from '../errors';
import { UnauthorizedError } from './auth.errors';
import { TokenVerifier } from './token.verifier';

const URL = 'http://keys.internal:8080/jwks.json';

interface Signer {
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

async function signer(alg: string, modulusLength = 2_048): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, {
    extractable: true,
    modulusLength,
  });
  return { alg, privateKey, jwk: await exportJWK(publicKey) };
}

const tokenOf = ({ alg, privateKey }: Signer, kid?: unknown): Promise<string> =>
  new SignJWT({ sub: '42' }).setProtectedHeader({ alg, kid: kid as string }).sign(privateKey);

describe('TokenVerifier with a key set', () => {
  let rsa: Signer;
  let other: Signer;
  let ec: Signer;
  let now: number;
  let fetches: number;
  let answer: () => Response | Promise<Response>;
  let warnings: string[];
  let verifier: TokenVerifier;

  const publish = (...keys: unknown[]) => (answer = () => Response.json({ keys }));
  const verify = async (token: string) => verifier.verify(`Bearer ${token}`);
  const accepts = async (token: string) => expect(await verify(token)).toBe(42);
  const refuses = async (token: string) => expect(verify(token)).rejects.toThrow(UnauthorizedError);
  const isUnavailable = async (token: string) =>
    expect(verify(token)).rejects.toThrow(UnavailableError);

  beforeAll(async () => {
    [rsa, other, ec] = await Promise.all([signer('RS256'), signer('RS256'), signer('ES256')]);
  });
  beforeEach(() => {
    fetches = 0;
    warnings = [];
    now = Date.now();
    jest.spyOn(Date, 'now').mockImplementation(() => now);
    jest.spyOn(globalThis, 'fetch').mockImplementation(async () => {
      fetches++;
      return answer();
    });
    jest.spyOn(Logger.prototype, 'warn').mockImplementation((text: string) => {
      warnings.push(text);
    });
    verifier = new TokenVerifier(
      Object.assign(new Environment(), { NODE_ENV: 'production', JWT_JWKS_URL: URL }),
    );
  });
  afterEach(() => jest.restoreAllMocks());

  it('tries every key of the algorithm for a token without a key id', async () => {
    publish({ ...other.jwk, kid: 'a' }, { ...ec.jwk, kid: 'b' }, { ...rsa.jwk, kid: 'c' });
    await accepts(await tokenOf(rsa));
    await accepts(await tokenOf(ec));
    await accepts(await tokenOf(rsa, null));
  });

  it('tries every key of the same id, and keys without an id', async () => {
    publish({ ...other.jwk, kid: 'a' }, { ...rsa.jwk, kid: 'a' }, ec.jwk);
    await accepts(await tokenOf(rsa, 'a'));
    await accepts(await tokenOf(other, 'a'));
    await accepts(await tokenOf(ec, 'unknown'));
  });

  it('takes members that are null for absent ones', async () => {
    const absent = {
      use: null,
      alg: null,
      key_ops: null,
      kid: null,
      x5c: null,
      ext: null,
      d: null,
    };
    publish({ ...rsa.jwk, ...absent }, { ...ec.jwk, ...absent, kid: 'b' });
    await accepts(await tokenOf(rsa, 'a'));
    await accepts(await tokenOf(ec, 'b'));
  });

  it('leaves out the keys that it cannot use, and uses the others', async () => {
    const short = await signer('RS256', 2_048);
    publish(
      null,
      'text',
      {},
      { kty: 'RSA', kid: 'c' },
      { kty: 'RSA', kid: 'c', n: null, e: 'AQAB' },
      { kty: 'oct', k: 'c2VjcmV0' },
      { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' },
      { ...short.jwk, kid: 'd', use: 'enc' },
      { ...short.jwk, kid: 'd', key_ops: ['encrypt'] },
      { ...short.jwk, kid: 'd', alg: 'RS512' },
      { ...rsa.jwk, kid: 'c' },
    );
    await accepts(await tokenOf(rsa, 'c'));
    await refuses(await tokenOf(short, 'd'));
    await refuses(await tokenOf(rsa, 7));
  });

  it('refuses tokens of unknown keys without a fetch for each', async () => {
    publish({ ...rsa.jwk, kid: 'a' });
    for (let i = 0; i < 20; i++) await refuses(await tokenOf(other, `unknown-${i}`));
    expect(fetches).toBe(1);
    // Nor does a wrong signature under a known id.
    for (let i = 0; i < 20; i++) await refuses(await tokenOf(other, 'a'));
    expect(fetches).toBe(1);
  });

  it('finds a new key soon after it was published, also under a known id', async () => {
    publish({ ...rsa.jwk, kid: 'a' });
    await accepts(await tokenOf(rsa, 'a'));
    publish({ ...other.jwk, kid: 'a' }, { ...ec.jwk, kid: 'b' });
    now += 10_000;
    await accepts(await tokenOf(ec, 'b'));
    await accepts(await tokenOf(other, 'a'));
    expect(fetches).toBe(2);
  });

  it('does not fetch a failing key set again for every token', async () => {
    answer = () =>
      Promise.reject(new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') }));
    for (let i = 0; i < 20; i++) await isUnavailable(await tokenOf(rsa, `a-${i}`));
    expect(fetches).toBe(1);
    publish({ ...rsa.jwk, kid: 'a' });
    now += 5_000;
    await accepts(await tokenOf(rsa, 'a'));
  });

  it('asks once for tokens that arrive together', async () => {
    publish({ ...rsa.jwk, kid: 'a' });
    const tokens = await Promise.all(Array.from({ length: 20 }, () => tokenOf(rsa, 'a')));
    await Promise.all(tokens.map(accepts));
    expect(fetches).toBe(1);
  });

  it('keeps known keys for an hour while the key set is unavailable', async () => {
    publish({ ...rsa.jwk, kid: 'a' });
    await accepts(await tokenOf(rsa, 'a'));
    answer = () => new Response('', { status: 500 });
    now += 59 * 60_000;
    await accepts(await tokenOf(rsa, 'a'));
    await isUnavailable(await tokenOf(other, 'unknown'));
    now += 2 * 60_000;
    await isUnavailable(await tokenOf(rsa, 'a'));
  });

  it.each<[string, () => Response, RegExp]>([
    ['another status', () => new Response('secret', { status: 302 }), /status is 302/],
    ['another text', () => new Response('<html>'), /JSON/],
    ['another value', () => Response.json(null), /no list "keys"/],
    ['too many keys', () => Response.json({ keys: Array(101).fill({}) }), /at most 100/],
    ['too much text', () => new Response(' '.repeat(600_000)), /larger than 524288 bytes/],
  ])('accepts no key set with %s, and logs why', async (_, response, reason) => {
    answer = response;
    await isUnavailable(await tokenOf(rsa, 'a'));
    expect(warnings).toEqual([expect.stringMatching(reason)]);
  });
});
