import { Gauge } from 'prom-client';
import { dependencyFault } from '../platform/errors';

/** A part of a group's work that waits after an error, until an attempt succeeds. */
interface Wait {
  readonly group: string;
  readonly topic: string;
  /** Null while the group joins. */
  readonly partition: number | null;
}

/** Longer texts are cut off in `/readyz`. */
const MAX_TEXT = 300;

/** For operators: which groups wait, and for what. */
export class ConsumerWaits {
  private readonly waits = new Map<string, Wait & { readonly error: unknown }>();

  constructor() {
    const { waits } = this;
    new Gauge({
      name: 'webook_consumers_waiting',
      help: 'Partitions whose consumer has failed and tries again, by the reason',
      labelNames: ['group', 'topic', 'reason'],
      collect() {
        this.reset();
        for (const { group, topic, error } of waits.values())
          this.inc({ group, topic, reason: reasonOf(error) });
      },
    });
  }

  /** After each attempt that failed. */
  note(wait: Wait, error: unknown): void {
    const { group, topic, partition } = wait;
    this.waits.set(keyOf(wait), { group, topic, partition, error });
  }

  end(wait: Wait): void {
    if (this.waits.size > 0) this.waits.delete(keyOf(wait));
  }

  /** @throws Error that names every group that waits, with its partitions and the reason */
  check(): void {
    if (this.waits.size === 0) return;
    const byText = Map.groupBy(
      this.waits.values(),
      ({ group, topic, error }) => `${group} waits with ${topic} (|): ${textOf(error)}`,
    );
    const texts = [...byText].map(([text, waits]) =>
      text.replace('|', waits.map(placeOf).sort().join(', ')),
    );
    throw new Error(texts.sort().join('; '));
  }
}

const placeOf = ({ partition }: Wait): string => String(partition ?? 'joining');

const keyOf = ({ group, topic, partition }: Wait): string => `${group} ${topic} ${partition}`;

const textOf = (error: unknown): string => String(error).slice(0, MAX_TEXT);

/** Few different words: it labels a metric. */
function reasonOf(error: unknown): string {
  const fault = dependencyFault(error);
  if (fault) return `${fault.dependency} ${fault.reason}`;
  return error instanceof Error ? error.name : 'unknown';
}
