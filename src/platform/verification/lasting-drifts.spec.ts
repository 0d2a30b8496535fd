import { lastingDrifts } from './lasting-drifts';

interface Suspect {
  readonly name: string;
  readonly found: string;
}

describe('lastingDrifts', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  /** @param looks what differs at each look; the last one lasts */
  async function lasting(suspects: Suspect[], ...looks: Suspect[][]): Promise<readonly Suspect[]> {
    const compare = async (asked: readonly Suspect[]): Promise<Suspect[]> => {
      const differing = looks.length > 1 ? looks.shift()! : looks[0]!;
      return differing.filter(({ name }) => asked.some((each) => each.name === name));
    };
    const found = lastingDrifts(suspects, ({ name }) => name, compare);
    await jest.advanceTimersByTimeAsync(10_000);
    return found;
  }

  const a = { name: 'a', found: '1' };
  const b = { name: 'b', found: '1' };

  it('keeps what differs at every look, once', async () => {
    expect(await lasting([a, a, b], [a, b])).toEqual([a, b]);
  });

  it('leaves out what equals its source at a later look', async () => {
    expect(await lasting([a, b], [a, b], [b])).toEqual([b]);
  });

  it('leaves out what still differs but has changed: it is being kept up to date', async () => {
    expect(await lasting([a, b], [{ ...a, found: '2' }, b])).toEqual([b]);
  });
});
