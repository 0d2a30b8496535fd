import { Logger } from '@nestjs/common';
import { isAway } from '../errors';
import { pause } from '../timing';

/** How long the boot waits for a dependency that is still starting. */
const BOOT_TIMEOUT_MS = 60_000;
const RETRY_PAUSE_MS = 500;

/**
 * Runs boot work that needs a dependency, and retries it while the dependency cannot be reached:
 * the programs of a machine or a compose file start in any order.
 * @throws the last error when the dependency is still away after a minute; any other error, e.g. a
 * refusal, at once
 */
export async function awaitDependency<T>(name: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + BOOT_TIMEOUT_MS;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error) || Date.now() > deadline) throw error;
      if (attempt === 1) new Logger('Boot').warn(`Waiting for ${name}: ${String(error)}`);
      await pause(RETRY_PAUSE_MS);
    }
  }
}
