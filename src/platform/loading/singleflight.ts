/**
 * One load per key at a time in this process: callers that come while a load runs share its result
 * or its error. Nothing is kept once it has settled, so an error is not remembered.
 */
export class Singleflight<T> {
  private readonly running = new Map<string, Promise<T>>();

  run(key: string, load: () => Promise<T>): Promise<T> {
    const shared = this.running.get(key);
    if (shared) return shared;
    // The async wrapper turns a synchronous throw of `load` into a rejection for every caller.
    const flight = (async () => load())().finally(() => this.running.delete(key));
    this.running.set(key, flight);
    return flight;
  }
}
