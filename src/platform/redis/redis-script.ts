import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ChainableCommander, Redis } from 'ioredis';

type ScriptArgument = string | number | Buffer;

/**
 * One Lua script in a file of its own, run by its hash; the text is sent only when the server does
 * not know it (first use, restart, SCRIPT FLUSH).
 */
export class RedisScript<Result = unknown> {
  private readonly text: string;
  private readonly hash: string;

  /** @param path the .lua file, e.g. `join(__dirname, 'lua/set.lua')` */
  constructor(path: string) {
    this.text = readFileSync(path, 'utf8');
    this.hash = createHash('sha1').update(this.text).digest('hex');
  }

  async run(redis: Redis, keys: string[], values: ScriptArgument[]): Promise<Result> {
    try {
      return (await redis.evalsha(this.hash, keys.length, ...keys, ...values)) as Result;
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return (await redis.eval(this.text, keys.length, ...keys, ...values)) as Result;
    }
  }

  /** Loads the script for `queue`. Call it before a pipeline and after a NOSCRIPT error. */
  async load(redis: Redis): Promise<void> {
    await redis.script('LOAD', this.text);
  }

  /** Adds the script to a pipeline by its hash. After a NOSCRIPT answer, `load` and send again. */
  queue(pipeline: ChainableCommander, keys: string[], values: ScriptArgument[]): void {
    pipeline.evalsha(this.hash, keys.length, ...keys, ...values);
  }
}
