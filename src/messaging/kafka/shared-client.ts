interface Client {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
}

interface Lease<C extends Client> {
  readonly client: Promise<C>;
  calls: number;
}

/**
 * One connected KafkaJS client for many calls. A client whose call failed is of no further use: an
 * idempotent producer's sequence may have a hole, and a topic that was deleted fails every metadata
 * request of a client that has once asked for it. So the next call gets a new one, and the old one
 * stays connected for those that still use it.
 */
export class SharedClient<C extends Client> {
  private current: Lease<C> | undefined;

  constructor(private readonly create: () => C) {}

  async use<T>(work: (client: C) => Promise<T>): Promise<T> {
    const lease = (this.current ??= { client: connected(this.create()), calls: 0 });
    lease.calls++;
    try {
      return await work(await lease.client);
    } catch (error) {
      if (this.current === lease) this.current = undefined;
      throw error;
    } finally {
      lease.calls--;
      if (lease !== this.current && lease.calls === 0) void disconnect(lease);
    }
  }

  async close(): Promise<void> {
    const lease = this.current;
    this.current = undefined;
    if (lease) await disconnect(lease);
  }
}

async function connected<C extends Client>(client: C): Promise<C> {
  await client.connect();
  return client;
}

async function disconnect<C extends Client>({ client }: Lease<C>): Promise<void> {
  try {
    await (await client).disconnect();
  } catch {
    // Its connection is gone already.
  }
}
