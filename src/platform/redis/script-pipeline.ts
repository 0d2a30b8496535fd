import type { ChainableCommander, Redis } from 'ioredis';
import type { RedisScript } from './redis-script';

/** Pipelines that run scripts by their hash. */
export class ScriptPipeline {
  /** @param scripts all that its pipelines use */
  constructor(
    private readonly redis: Redis,
    private readonly scripts: readonly RedisScript[],
  ) {}

  /** Loads the scripts. Call it once before the first pipeline. */
  async load(): Promise<void> {
    await Promise.all(this.scripts.map((script) => script.load(this.redis)));
  }

  /**
   * One round trip; a second one when the server has lost the scripts, e.g. in a restart.
   * @param fill adds the commands
   * @returns the commands' results in their order
   * @throws the first error of a command
   */
  async run(fill: (pipeline: ChainableCommander) => void): Promise<unknown[]> {
    for (let attempt = 1; ; attempt++) {
      const pipeline = this.redis.pipeline();
      fill(pipeline);
      if (pipeline.length === 0) return [];
      const answers = (await pipeline.exec()) ?? [];
      const failed = answers.find(([error]) => error)?.[0];
      if (!failed) return answers.map(([, answer]) => answer);
      if (!failed.message.startsWith('NOSCRIPT') || attempt > 1) throw failed;
      await this.load();
    }
  }
}
