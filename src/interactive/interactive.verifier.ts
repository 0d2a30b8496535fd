import { Injectable } from '@nestjs/common';
import { type CountedObject, DriftRepository } from './drift.repository';
import { InteractiveCache, type OwnMarks } from './interactive.cache';
import { InteractiveRepository } from './interactive.repository';
import { keyOfMark, keyOfObject, type MarkKey } from './mark.group';
import { MarkRepository } from './mark.repository';
import { CHUNK } from './scan';
import { type Counts, NO_COUNTS, type ObjectRef } from './states';

/** A derived value that is not what it is derived from says. */
export interface Drift extends ObjectRef {
  readonly what: 'like_cnt' | 'collect_cnt' | 'cache' | 'cached marks';
  /** Whose marks. */
  readonly uid?: number;
  /** What is stored. */
  readonly found: string;
  /** What it should be. */
  readonly expected: string;
}

/** The parts of a long run, one after the other. */
export type Step = 'counters' | 'objects without counters' | 'cached values';

/**
 * @param done how many of the step's things were looked at
 * @param share of the step that is behind: 0 to 1
 */
export type OnProgress = (step: Step, done: number, share: number) => void;

export interface VerifyOptions {
  /** Corrects what has drifted. */
  readonly repair: boolean;
  onDrift(drift: Drift): void;
  readonly onProgress: OnProgress;
}

/** Suspects that are kept in mind before it is seen which of them have settled. */
const SUSPECTS = 10_000;
/** How long a cache may lag behind the database before it counts as drifted: attempts, and ms between. */
const SETTLE_ATTEMPTS = 20;
const SETTLE_PAUSE = 250;

/** Compares the counters with the like and collect records, and what is cached with both, online. */
@Injectable()
export class InteractiveVerifier {
  constructor(
    private readonly repository: InteractiveRepository,
    private readonly drift: DriftRepository,
    private readonly marks: MarkRepository,
    private readonly cache: InteractiveCache,
  ) {}

  /** @returns how many values have drifted */
  async verify({ repair, onDrift, onProgress }: VerifyOptions): Promise<number> {
    let drifted = 0;
    const report = (drifts: readonly Drift[]): void => {
      drifted += drifts.length;
      drifts.forEach(onDrift);
    };
    const scans = [
      ['counters', this.drift.counters()],
      ['objects without counters', this.drift.withoutCounters()],
    ] as const;
    for (const [step, scan] of scans) {
      let done = 0;
      for await (const { items, seen, share } of scan) {
        const wrong = items.filter((item) => driftsOf(item).length > 0);
        report(wrong.flatMap(driftsOf));
        if (repair && wrong.length > 0) {
          await this.drift.correct(wrong, Date.now());
          await this.refresh(wrong);
        }
        onProgress(step, (done += seen), share);
      }
    }
    let suspects: Drift[] = [];
    let done = 0;
    for await (const { items, seen, share } of this.cache.scan()) {
      suspects.push(...(await this.cacheDrifts(items)));
      if (suspects.length >= SUSPECTS) {
        report(await this.settle(suspects, repair));
        suspects = [];
      }
      onProgress('cached values', (done += seen), share);
    }
    report(await this.settle(suspects, repair));
    return drifted;
  }

  /**
   * Writes every counter row to the caches, and reads anew whatever else is cached; the caches stay in
   * use meanwhile.
   * @returns how many objects have counters
   */
  async rebuild(onProgress: OnProgress): Promise<number> {
    let cached = 0;
    for await (const { items, seen, share } of this.cache.scan()) {
      await this.refresh(items);
      onProgress('cached values', (cached += seen), share);
    }
    let rebuilt = 0;
    for await (const { items, seen, share } of this.repository.scan()) {
      await this.refresh(items);
      onProgress('counters', (rebuilt += seen), share);
    }
    return rebuilt;
  }

  /**
   * Those of the suspects that stay as they were found: change capture needs its moment, and what
   * has changed since is being kept up.
   */
  private async settle(suspects: readonly Drift[], repair: boolean): Promise<readonly Drift[]> {
    // A scan of Redis may come upon a key twice.
    let drifts: readonly Drift[] = [
      ...new Map(suspects.map((each) => [nameOf(each), each])).values(),
    ];
    for (let attempt = 1; drifts.length > 0 && attempt <= SETTLE_ATTEMPTS; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_PAUSE));
      const found = new Map(drifts.map((drift) => [nameOf(drift), drift.found]));
      const again: Drift[] = [];
      for (const items of chunks(drifts)) again.push(...(await this.cacheDrifts(items)));
      drifts = again.filter((drift) => found.get(nameOf(drift)) === drift.found);
    }
    if (repair) for (const items of chunks(drifts)) await this.refresh(items);
    return drifts;
  }

  /** What is cached of them and differs. The cache is read first: it may be behind, but not ahead. */
  private async cacheDrifts(items: readonly (ObjectRef | MarkKey)[]): Promise<Drift[]> {
    const { objects, marks } = apart(items);
    const [counters, own] = await Promise.all([
      this.cache.counters(objects),
      this.cache.marks(marks),
    ]);
    const [rows, states] = await Promise.all([
      this.repository.counters(objects),
      this.marks.states(marks),
    ]);
    const rowOf = new Map(rows.map((row) => [keyOfObject(row), row]));
    const compared = [
      ...objects.map(({ biz, bizId }, i): Drift | undefined => {
        const cached = counters[i];
        const row = rowOf.get(keyOfObject({ biz, bizId })) ?? NO_COUNTS;
        return (
          cached && { biz, bizId, what: 'cache', found: textOf(cached), expected: textOf(row) }
        );
      }),
      ...marks.map(({ uid, biz, bizId }, i): Drift | undefined => {
        const cached = own[i];
        const [like, collect] = [states[2 * i], states[2 * i + 1]];
        const expected = textOfMarks({
          liked: like?.on ?? false,
          collected: collect?.on ?? false,
        });
        return (
          cached && { biz, bizId, uid, what: 'cached marks', found: textOfMarks(cached), expected }
        );
      }),
    ];
    return compared
      .filter((each) => each !== undefined)
      .filter((each) => each.found !== each.expected);
  }

  /** Forgets what is cached of them, then keeps what is read after that. */
  private async refresh(items: readonly (ObjectRef | MarkKey)[]): Promise<void> {
    const { objects, marks } = apart(items);
    await this.cache.drop(objects, marks);
    const tickets = await this.cache.tickets(objects, marks);
    const [rows, states] = await Promise.all([
      this.repository.counters(objects),
      this.marks.states(marks),
    ]);
    await this.cache.keep(tickets, rows, states);
  }
}

function driftsOf({ biz, bizId, likeCnt, collectCnt, likes, collects }: CountedObject): Drift[] {
  const compared = [
    { what: 'like_cnt', found: likeCnt, expected: likes },
    { what: 'collect_cnt', found: collectCnt, expected: collects },
  ] as const;
  return compared
    .filter(({ found, expected }) => found !== expected)
    .map(({ what, found, expected }) => ({
      biz,
      bizId,
      what,
      found: String(found),
      expected: String(expected),
    }));
}

const isMark = (item: ObjectRef | MarkKey): item is MarkKey => 'uid' in item;

function apart(items: readonly (ObjectRef | MarkKey)[]): {
  objects: ObjectRef[];
  marks: MarkKey[];
} {
  return { objects: items.filter((item) => !isMark(item)), marks: items.filter(isMark) };
}

const nameOf = (item: ObjectRef | MarkKey): string =>
  isMark(item) ? keyOfMark(item) : keyOfObject(item);

function* chunks<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let i = 0; i < items.length; i += CHUNK) yield items.slice(i, i + CHUNK);
}

const textOf = ({ readCnt, likeCnt, collectCnt }: Counts): string =>
  `reads ${readCnt}, likes ${likeCnt}, collects ${collectCnt}`;

const textOfMarks = ({ liked, collected }: OwnMarks): string =>
  `${liked ? 'liked' : 'not liked'}, ${collected ? 'collected' : 'not collected'}`;
