import { Injectable } from '@nestjs/common';
import { withTimeout } from '../timing';

/** A dependency that does not answer within this time counts as down. */
const CHECK_TIMEOUT_MS = 1_000;

export interface CheckResult {
  status: 'up' | 'down';
  error?: string;
}

export interface Readiness {
  /** `degraded` is ready: something is down without which the process can serve. */
  status: 'ready' | 'degraded' | 'not-ready' | 'stopping';
  checks: Record<string, CheckResult>;
}

interface Check {
  run(): Promise<void>;
  /** Whether the process cannot serve when it fails. */
  readonly isRequired: boolean;
}

/** Each dependency registers a check; the process is ready when those that it needs to serve pass. */
@Injectable()
export class HealthRegistry {
  private readonly checks = new Map<string, Check>();
  private stopping = false;

  /** @param check resolves when the dependency works, rejects with the reason when it does not */
  add(name: string, check: () => Promise<void>): void {
    this.checks.set(name, { run: check, isRequired: true });
  }

  /** Adds a check without which the process is still ready: it is only reported. */
  report(name: string, check: () => Promise<void>): void {
    this.checks.set(name, { run: check, isRequired: false });
  }

  /** From now on the process is not ready, whatever the checks say. */
  beginShutdown(): void {
    this.stopping = true;
  }

  async readiness(): Promise<Readiness> {
    const results = await Promise.all(
      [...this.checks].map(async ([name, { run }]) => [name, await outcome(run)] as const),
    );
    const down = results.filter(([, { status }]) => status === 'down').map(([name]) => name);
    return {
      status: this.stopping ? 'stopping' : this.statusWithout(down),
      checks: Object.fromEntries(results),
    };
  }

  private statusWithout(down: readonly string[]): Readiness['status'] {
    if (down.length === 0) return 'ready';
    return down.some((name) => this.checks.get(name)?.isRequired) ? 'not-ready' : 'degraded';
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
