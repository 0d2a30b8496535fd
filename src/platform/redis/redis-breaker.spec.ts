import { UnavailableError } from '../errors';
import { RedisBreaker } from './redis-breaker';

describe('RedisBreaker', () => {
  const away = () => Promise.reject(new UnavailableError('redis', 'down'));

  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('asks no more for a second after Redis was unavailable', async () => {
    const breaker = new RedisBreaker();
    expect(await breaker.read(() => Promise.resolve(1))).toBe(1);
    expect(await breaker.read(away)).toBeUndefined();
    expect(breaker.isOpen).toBe(true);
    const read = jest.fn(() => Promise.resolve(2));
    expect(await breaker.read(read)).toBeUndefined();
    expect(read).not.toHaveBeenCalled();
  });

  it('then probes with one read that no caller waits for, and closes when it succeeds', async () => {
    const breaker = new RedisBreaker();
    await breaker.read(away);
    jest.advanceTimersByTime(1_000);
    let answer = (_: number): void => undefined;
    const probe = jest.fn(() => new Promise<number>((resolve) => (answer = resolve)));
    expect(await breaker.read(probe)).toBeUndefined();
    expect(await breaker.read(probe)).toBeUndefined();
    expect(probe).toHaveBeenCalledTimes(1);
    answer(1);
    await jest.advanceTimersByTimeAsync(0);
    expect(breaker.isOpen).toBe(false);
    expect(await breaker.read(() => Promise.resolve(2))).toBe(2);
  });

  it('stays open when the probe fails', async () => {
    const breaker = new RedisBreaker();
    await breaker.read(away);
    jest.advanceTimersByTime(1_000);
    await breaker.read(away);
    await jest.advanceTimersByTimeAsync(0);
    expect(breaker.isOpen).toBe(true);
  });

  it('throws any other error and stays closed', async () => {
    const breaker = new RedisBreaker();
    await expect(breaker.read(() => Promise.reject(new Error('WRONGTYPE')))).rejects.toThrow();
    expect(breaker.isOpen).toBe(false);
  });
});
