import { Logger } from '@nestjs/common';
import { isUnavailable } from '../errors';

/** Milliseconds for which the boot waits for a dependency that is still starting. */
const PATIENCE = 60_000;
const PAUSE = 500;

/**
 * Does at boot what needs a dependency, waiting for one that cannot be reached yet: programs of a
 * machine or a compose file start in any order.
 * @throws the last error when it stays away for a minute, or any other error at once
 */
export async function awaitDependency<T>(name: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error) || Date.now() > deadline) throw error;
      if (attempt === 1) new Logger('Boot').warn(`Waiting for ${name}: ${String(error)}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}
