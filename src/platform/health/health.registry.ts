import { Injectable } from '@nestjs/common';
import { withTimeout } from '../timing';

/** A dependency that does not answer within this time counts as down. */
const CHECK_TIMEOUT_MS = 1_000;

export interface CheckResult {
  status: 'up' | 'down';
  error?: string;
}

export interface Readiness {
  status: 'ready' | 'not-ready' | 'stopping';
  checks: Record<string, CheckResult>;
}

/** Each dependency registers a check; the process is ready when all of them pass. */
@Injectable()
export class HealthRegistry {
  private readonly checks = new Map<string, () => Promise<void>>();
  private stopping = false;

  /** @param check resolves when the dependency works, rejects with the reason when it does not */
  add(name: string, check: () => Promise<void>): void {
    this.checks.set(name, check);
  }

  /** From now on the process is not ready, whatever the checks say. */
  beginShutdown(): void {
    this.stopping = true;
  }

  async readiness(): Promise<Readiness> {
    const results = await Promise.all(
      [...this.checks].map(async ([name, check]) => [name, await outcome(check)] as const),
    );
    const up = results.every(([, result]) => result.status === 'up');
    return {
      status: this.stopping ? 'stopping' : up ? 'ready' : 'not-ready',
      checks: Object.fromEntries(results),
    };
  }
}

async function outcome(check: () => Promise<void>): Promise<CheckResult> {
  try {
    await withTimeout(CHECK_TIMEOUT_MS, check());
    return { status: 'up' };
  } catch (error) {
    return { status: 'down', error: messageOf(error) };
  }
}

/** Node's connection errors (AggregateError) have an empty message; their code says what failed. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as { code?: string }).code || error.name;
}
