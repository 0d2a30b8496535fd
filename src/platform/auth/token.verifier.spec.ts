import { generateKeyPair, SignJWT } from 'jose';
import { Environment } from '../config';
import { UnauthorizedError } from './auth.errors';
import { TokenVerifier } from './token.verifier';

const SECRET = 'a secret of the test';
const secret = new TextEncoder().encode(SECRET);
const verifierOf = (environment: Partial<Environment>): TokenVerifier =>
  new TokenVerifier(Object.assign(new Environment(), environment));
const tokenOf = (sub: string | number, expiresAt?: number, key = secret) => {
  const token = new SignJWT({ sub: sub as string }).setProtectedHeader({ alg: 'HS256' });
  if (expiresAt !== undefined) token.setExpirationTime(expiresAt);
  return token.sign(key);
};
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

describe('TokenVerifier', () => {
  const verifier = verifierOf({ JWT_SECRET: SECRET });
  const verify = async (token: string) => verifier.verify(`Bearer ${token}`);

  it('returns the user of a valid token, the second time without a promise', async () => {
    const token = await tokenOf('42', inSeconds(60));
    expect(await verify(token)).toBe(42);
    expect(verifier.verify(`Bearer ${token}`)).toBe(42);
  });

  it('accepts a sub that is a JSON number', async () => {
    expect(await verify(await tokenOf(42))).toBe(42);
  });

  it('does not accept a cached token after its expiry', async () => {
    const token = await tokenOf('42', inSeconds(5));
    expect(await verify(token)).toBe(42);
    const later = Date.now() + 11_000;
    const clock = jest.spyOn(Date, 'now').mockReturnValue(later);
    jest.useFakeTimers({ now: later, doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      await expect(verify(token)).rejects.toThrow('the token has expired');
    } finally {
      clock.mockRestore();
      jest.useRealTimers();
    }
  });

  it.each(['0', '-1', '1.5', 'alice', '', '9007199254740992', 0, -1, 1.5, 2 ** 53])(
    'refuses the sub %j',
    async (sub) => {
      await expect(verify(await tokenOf(sub))).rejects.toThrow(UnauthorizedError);
    },
  );

  it('allows for clocks that differ by some seconds', async () => {
    expect(await verify(await tokenOf('1', inSeconds(-3)))).toBe(1);
    const early = (seconds: number) =>
      new SignJWT({ sub: '1' })
        .setProtectedHeader({ alg: 'HS256' })
        .setNotBefore(inSeconds(seconds))
        .sign(secret);
    expect(await verify(await early(3))).toBe(1);
    await expect(verify(await early(60))).rejects.toThrow('the token is not valid yet');
  });

  it('refuses expired, wrongly signed, unsigned and malformed tokens', async () => {
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.eyJzdWIiOiIxIn0.`;
    const tokens = [
      await tokenOf('1', inSeconds(-10)),
      await tokenOf('1', inSeconds(60), new TextEncoder().encode('another secret here')),
      unsigned,
      'abc',
      'a.b.c',
      '',
    ];
    for (const token of tokens) await expect(verify(token)).rejects.toThrow(UnauthorizedError);
  });

  it('refuses other algorithms when there is no key set', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const token = await new SignJWT()
      .setProtectedHeader({ alg: 'ES256' })
      .setSubject('1')
      .sign(privateKey);
    await expect(verify(token)).rejects.toThrow(UnauthorizedError);
  });

  it('accepts the development secret only outside production', async () => {
    const key = new TextEncoder().encode('webook-development-secret');
    const token = await tokenOf('7', inSeconds(60), key);
    expect(await verifierOf({}).verify(`Bearer ${token}`)).toBe(7);
    const production = verifierOf({
      NODE_ENV: 'production',
      JWT_JWKS_URL: 'http://127.0.0.1:1/keys',
    });
    await expect((async () => production.verify(`Bearer ${token}`))()).rejects.toThrow(
      UnauthorizedError,
    );
  });
});
