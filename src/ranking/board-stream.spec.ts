import { once } from 'node:events';
import { Writable } from 'node:stream';
import { register } from 'prom-client';
import { BoardStream, type StreamedState } from './board-stream';

class FakeState implements StreamedState {
  readonly listeners = new Set<() => void>();
  asked = 0;

  constructor(private current: string) {}

  data(): string {
    this.asked++;
    return this.current;
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  become(value: string): void {
    this.current = value;
    for (const listener of this.listeners) listener();
  }
}

/** A client that accepts nothing while it is blocked. */
class FakeClient extends Writable {
  text = '';
  private release: (() => void) | null = null;
  private isBlocked = false;

  constructor() {
    super({ highWaterMark: 1 });
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.text += chunk.toString();
    this.emit('text');
    if (this.isBlocked) this.release = callback;
    else callback();
  }

  async saw(text: string): Promise<void> {
    while (!this.text.includes(text)) await once(this, 'text');
  }

  block(): void {
    this.isBlocked = true;
  }

  unblock(): void {
    this.isBlocked = false;
    this.release?.();
  }
}

describe('BoardStream', () => {
  let stream: BoardStream;
  const client = (...states: FakeState[]): FakeClient => {
    stream = new BoardStream(states);
    return stream.pipe(new FakeClient());
  };
  afterEach(() => stream.destroy());

  it('sends each state at connect, and then only those that changed', async () => {
    const [first, second] = [new FakeState('a0'), new FakeState('b0')];
    const reader = client(first, second);
    await reader.saw('b0\n\n');
    second.become('b1');
    await reader.saw('b1\n\n');
    expect(reader.text).toBe(
      'retry: 1000\n\n' +
        ['a0', 'b0', 'b1'].map((data) => `event: board\ndata: ${data}\n\n`).join(''),
    );
  });

  it('sends nothing when a change does not touch what is shown', async () => {
    const state = new FakeState('0');
    const reader = client(state);
    await reader.saw('data: 0');
    state.become('0');
    state.become('1');
    await reader.saw('data: 1');
    expect(reader.text.match(/data: 0/g)).toHaveLength(1);
  });

  it('joins changes that are faster than it sends', async () => {
    const state = new FakeState('0');
    const reader = client(state);
    await reader.saw('data: 0');
    for (let i = 1; i <= 1000; i++) state.become(String(i));
    await reader.saw('data: 1000');
    expect(reader.text.match(/data:/g)?.length).toBeLessThanOrEqual(3);
  });

  it('creates no events for a client that does not read, and sends it the latest state later', async () => {
    const state = new FakeState('0');
    const reader = client(state);
    await reader.saw('data: 0');
    reader.block();
    // The client has one and the buffer has one; after that nothing is pulled.
    state.become('first');
    await reader.saw('data: first');
    state.become('second');
    while (stream.readableLength === 0) await new Promise(setImmediate);
    const { asked } = state;
    for (let i = 1; i <= 1000; i++) state.become(String(i));
    expect(state.asked).toBe(asked);
    reader.unblock();
    await reader.saw('data: 1000');
    expect(reader.text.match(/data:/g)).toHaveLength(4);
  });

  it('unsubscribes from its states when the client is gone, and is no longer counted', async () => {
    const open = async (): Promise<string> =>
      /^webook_ranking_streams (\d+)$/m.exec(await register.metrics())?.[1] ?? '';
    const state = new FakeState('0');
    await client(state).saw('data: 0');
    expect([state.listeners.size, await open()]).toEqual([1, '1']);
    stream.destroy();
    await once(stream, 'close');
    expect([state.listeners.size, await open()]).toEqual([0, '0']);
  });
});
