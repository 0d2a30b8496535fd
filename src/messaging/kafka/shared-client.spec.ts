import { SharedClient } from './shared-client';

class FakeClient {
  connected = false;

  connect(): Promise<void> {
    this.connected = true;
    return Promise.resolve();
  }

  disconnect(): Promise<void> {
    this.connected = false;
    return Promise.resolve();
  }
}

describe('SharedClient', () => {
  let made: FakeClient[];
  let shared: SharedClient<FakeClient>;
  beforeEach(() => {
    made = [];
    shared = new SharedClient(() => {
      const client = new FakeClient();
      made.push(client);
      return client;
    });
  });

  const fail = (): Promise<void> => Promise.reject(new Error('refused'));

  it('uses the same client for every call', async () => {
    const clients = [await shared.use((client) => Promise.resolve(client))];
    clients.push(await shared.use((client) => Promise.resolve(client)));
    expect(clients).toEqual([made[0], made[0]]);
    expect(made).toHaveLength(1);
  });

  it('uses a new client after a failure, and keeps the old one connected for a running call', async () => {
    let finish!: () => void;
    const running = shared.use(() => new Promise<void>((resolve) => (finish = resolve)));
    await expect(shared.use(fail)).rejects.toThrow('refused');
    expect(await shared.use((client) => Promise.resolve(client))).toBe(made[1]);
    expect(made.map(({ connected }) => connected)).toEqual([true, true]);

    finish();
    await running;
    expect(made.map(({ connected }) => connected)).toEqual([false, true]);
  });

  it('disconnects the last client when it is closed', async () => {
    await shared.use(() => Promise.resolve());
    await shared.close();
    expect(made.map(({ connected }) => connected)).toEqual([false]);
  });
});
