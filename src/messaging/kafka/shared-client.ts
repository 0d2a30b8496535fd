interface Client {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

interface ClientInUse<C extends Client> {
  readonly client: Promise<C>;
  runningCalls: number;
}

/**
 * One connected KafkaJS client for many calls. A client with a failed call must not be used again:
 * an idempotent producer's sequence may have a gap, and every metadata request of a client fails
 * once a topic is deleted that this client has asked for. So the next call gets a new client, and
 * the old one stays connected until its running calls have ended.
 */
export class SharedClient<C extends Client> {
  private current: ClientInUse<C> | undefined;

  constructor(private readonly create: () => C) {}

  async use<T>(work: (client: C) => Promise<T>): Promise<T> {
    const used = (this.current ??= { client: connected(this.create()), runningCalls: 0 });
    used.runningCalls++;
    try {
      return await work(await used.client);
    } catch (error) {
      if (this.current === used) this.current = undefined;
      throw error;
    } finally {
      used.runningCalls--;
      if (used !== this.current && used.runningCalls === 0) void disconnect(used);
    }
  }

  async close(): Promise<void> {
    const last = this.current;
    this.current = undefined;
    if (last) await disconnect(last);
  }
}

async function connected<C extends Client>(client: C): Promise<C> {
  await client.connect();
  return client;
}

async function disconnect<C extends Client>({ client }: ClientInUse<C>): Promise<void> {
  try {
    await (await client).disconnect();
  } catch {
    // Its connection is gone already.
  }
}
