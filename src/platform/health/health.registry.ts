import { Injectable } from '@nestjs/common';

/** Milliseconds after which a dependency that does not answer counts as down. */
const CHECK_TIMEOUT = 1_000;

export interface CheckResult {
  status: 'up' | 'down';
  error?: string;
}

export interface Readiness {
  status: 'ready' | 'not-ready' | 'stopping';
  checks: Record<string, CheckResult>;
}

/** Each dependency registers how to ask it; readiness is the sum of their answers. */
@Injectable()
export class HealthRegistry {
  private readonly checks = new Map<string, () => Promise<void>>();
  private stopping = false;

  /** @param check resolves when the dependency answers, rejects with what is wrong with it */
  add(name: string, check: () => Promise<void>): void {
    this.checks.set(name, check);
  }

  /** From here on the process is not ready, whatever its dependencies say. */
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
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`no answer within ${CHECK_TIMEOUT} ms`)),
      CHECK_TIMEOUT,
    );
  });
  try {
    await Promise.race([check(), timeout]);
    return { status: 'up' };
  } catch (error) {
    return { status: 'down', error: messageOf(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** Connection errors of Node (AggregateError) have an empty message and say all in their code. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || (error as { code?: string }).code || error.name;
}
