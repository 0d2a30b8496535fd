import { Logger } from '@nestjs/common';
import { isUnavailable } from '../errors';

/** How long Redis is not asked after it was unavailable. */
const OPEN_FOR_MS = 1_000;
/** How long a probe may take: a command is answered, or has failed, within this time. */
const PROBE_TIMEOUT_MS = 6_000;

/**
 * Leaves Redis alone for a moment after it gave no answer or refused one, so that readers that can use MySQL instead
 * do not wait for it. After that moment one read probes Redis, and no caller waits for it.
 */
export class RedisBreaker {
  private readonly logger = new Logger(RedisBreaker.name);
  /** When the next probe is due; 0 while Redis answers. */
  private probeAt = 0;

  /** Whether Redis counts as unavailable. */
  get isOpen(): boolean {
    return this.probeAt > 0;
  }

  /** @returns the result of `read`, or undefined when Redis is unavailable @throws any other error */
  async read<T>(read: () => Promise<T>): Promise<T | undefined> {
    if (this.probeAt === 0) return this.attempt(read);
    if (Date.now() >= this.probeAt) {
      this.probeAt = Date.now() + PROBE_TIMEOUT_MS;
      this.attempt(read).catch(() => undefined);
    }
    return undefined;
  }

  private async attempt<T>(read: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await read();
      this.probeAt = 0;
      return result;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      this.logger.debug(`Redis is unavailable: ${String(error)}`);
      this.probeAt = Date.now() + OPEN_FOR_MS;
      return undefined;
    }
  }
}
