import { Injectable } from '@nestjs/common';
import { keyOfObject, type ObjectRef } from '../../platform/business-object';
import { SCAN_ROWS, type Scanned } from '../../platform/database';
import {
  type Drift,
  lastingDrifts,
  type OnProgress,
  type VerifiableContext,
  VerificationRegistry,
  type VerifyOptions,
} from '../../platform/verification';
import { CountersCache } from '../cache/counters.cache';
import { OwnMarksCache } from '../cache/own-marks.cache';
import { CountersRepository } from '../counters/counters.repository';
import { MarkRepository } from '../marks/mark.repository';
import { type Counts, NO_COUNTS } from '../model/counter-row';
import { keyOfMark, type MarkKey, type OwnMarks, ownMarksOf } from '../model/mark';
import { type CountedObject, DriftRepository } from './drift.repository';

/** Differences of a cache that are collected before it is checked which of them last. */
const SUSPECTS = 10_000;

/** A cached value that differs from MySQL. */
type Suspect<Ref> = Drift & { readonly ref: Ref };

/** What is compared of one cache. */
interface CacheCheck<Ref> {
  readonly phase: string;
  scan(): AsyncGenerator<Scanned<Ref>>;
  nameOf(ref: Ref): string;
  compare(refs: readonly Ref[]): Promise<Suspect<Ref>[]>;
  refresh(refs: readonly Ref[]): Promise<void>;
}

/** Compares the counters with the like and collect records, and the caches with both, while in use. */
@Injectable()
export class InteractiveVerifier implements VerifiableContext {
  readonly name = 'interactive';

  private readonly cachedCounters: CacheCheck<ObjectRef> = {
    phase: 'cached counters',
    scan: () => this.countersCache.scan(),
    nameOf: keyOfObject,
    compare: (objects) => this.compareCounters(objects),
    refresh: (objects) => this.refreshCounters(objects),
  };
  private readonly cachedMarks: CacheCheck<MarkKey> = {
    phase: 'cached marks',
    scan: () => this.ownMarksCache.scan(),
    nameOf: keyOfMark,
    compare: (keys) => this.compareMarks(keys),
    refresh: (keys) => this.refreshMarks(keys),
  };

  constructor(
    registry: VerificationRegistry,
    private readonly repository: CountersRepository,
    private readonly drift: DriftRepository,
    private readonly marks: MarkRepository,
    private readonly countersCache: CountersCache,
    private readonly ownMarksCache: OwnMarksCache,
  ) {
    registry.add(this);
  }

  async verify({ repair, onDrift, onProgress }: VerifyOptions): Promise<number> {
    let drifted = 0;
    const options: VerifyOptions = {
      repair,
      onProgress,
      onDrift: (drift) => {
        drifted++;
        onDrift(drift);
      },
    };
    await this.verifyTable('counters', this.drift.counters(), options);
    await this.verifyTable('objects without counters', this.drift.withoutCounters(), options);
    await this.verifyCache(this.cachedCounters, options);
    await this.verifyCache(this.cachedMarks, options);
    return drifted;
  }

  /** Reloads everything that is cached, and caches every counter; the caches stay in use meanwhile. */
  async rebuild(onProgress: OnProgress): Promise<number> {
    await this.reload(this.cachedCounters, this.cachedCounters.scan(), onProgress);
    await this.reload(this.cachedMarks, this.cachedMarks.scan(), onProgress);
    const counters = { ...this.cachedCounters, phase: 'counters' };
    return this.reload(counters, this.repository.scan(), onProgress);
  }

  private async verifyTable(
    phase: string,
    scan: AsyncGenerator<Scanned<CountedObject>>,
    { repair, onDrift, onProgress }: VerifyOptions,
  ): Promise<void> {
    let done = 0;
    for await (const { items, seen, share } of scan) {
      const wrong = items.filter((item) => driftsOf(item).length > 0);
      wrong.flatMap(driftsOf).forEach(onDrift);
      if (repair && wrong.length > 0) {
        await this.drift.correct(wrong, Date.now());
        await this.refreshCounters(wrong);
      }
      onProgress(phase, (done += seen), share);
    }
  }

  private async verifyCache<Ref>(
    check: CacheCheck<Ref>,
    { repair, onDrift, onProgress }: VerifyOptions,
  ): Promise<void> {
    const report = async (suspects: readonly Suspect<Ref>[]): Promise<void> => {
      const drifts = await lastingDrifts(
        suspects,
        ({ ref }) => check.nameOf(ref),
        async (some) => {
          const differing: Suspect<Ref>[] = [];
          for (const refs of chunks(some.map(({ ref }) => ref)))
            differing.push(...(await check.compare(refs)));
          return differing;
        },
      );
      if (repair)
        for (const refs of chunks(drifts.map(({ ref }) => ref))) await check.refresh(refs);
      drifts.forEach(onDrift);
    };
    let suspects: Suspect<Ref>[] = [];
    let done = 0;
    for await (const { items, seen, share } of check.scan()) {
      suspects.push(...(await check.compare(items)));
      if (suspects.length >= SUSPECTS) {
        await report(suspects);
        suspects = [];
      }
      onProgress(check.phase, (done += seen), share);
    }
    await report(suspects);
  }

  /** @returns how many items were reloaded */
  private async reload<Ref>(
    { phase, refresh }: CacheCheck<Ref>,
    scan: AsyncGenerator<Scanned<Ref>>,
    onProgress: OnProgress,
  ): Promise<number> {
    let done = 0;
    for await (const { items, seen, share } of scan) {
      await refresh(items);
      onProgress(phase, (done += seen), share);
    }
    return done;
  }

  /** The cache is read first: it may lag behind MySQL, but it is never ahead. */
  private async compareCounters(objects: readonly ObjectRef[]): Promise<Suspect<ObjectRef>[]> {
    const cached = await this.countersCache.read(objects);
    const rows = await this.repository.counters(objects);
    const rowOf = new Map(rows.map((row) => [keyOfObject(row), row]));
    return objects.flatMap((ref, i) => {
      const counts = cached[i];
      if (!counts) return [];
      const found = textOfCounts(counts);
      const expected = textOfCounts(rowOf.get(keyOfObject(ref)) ?? NO_COUNTS);
      return found === expected
        ? []
        : [{ ref, subject: subjectOf(ref), value: 'cache', found, expected }];
    });
  }

  private async compareMarks(keys: readonly MarkKey[]): Promise<Suspect<MarkKey>[]> {
    const cached = await this.ownMarksCache.read(keys);
    const states = await this.marks.states(keys);
    return keys.flatMap((ref, i) => {
      const marks = cached[i];
      if (!marks) return [];
      const found = textOfMarks(marks);
      const expected = textOfMarks(ownMarksOf(states[i]!));
      const value = `cached marks of user ${ref.uid}`;
      return found === expected ? [] : [{ ref, subject: subjectOf(ref), value, found, expected }];
    });
  }

  /** Drops what is cached, then stores what is read after that. */
  private async refreshCounters(objects: readonly ObjectRef[]): Promise<void> {
    await this.countersCache.drop(objects);
    const tickets = await this.countersCache.tickets(objects);
    await this.countersCache.storeLoaded(tickets, await this.repository.counters(objects));
  }

  private async refreshMarks(keys: readonly MarkKey[]): Promise<void> {
    await this.ownMarksCache.drop(keys);
    const tickets = await this.ownMarksCache.tickets(keys);
    await this.ownMarksCache.storeLoaded(tickets, await this.marks.states(keys));
  }
}

function driftsOf(object: CountedObject): Drift[] {
  const compared = [
    { value: 'like_cnt', found: object.likeCnt, expected: object.likes },
    { value: 'collect_cnt', found: object.collectCnt, expected: object.collects },
  ];
  return compared
    .filter(({ found, expected }) => found !== expected)
    .map(({ value, found, expected }) => ({
      subject: subjectOf(object),
      value,
      found: String(found),
      expected: String(expected),
    }));
}

function* chunks<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let i = 0; i < items.length; i += SCAN_ROWS) yield items.slice(i, i + SCAN_ROWS);
}

const subjectOf = ({ biz, bizId }: ObjectRef): string => `${biz} ${bizId}`;

const textOfCounts = ({ readCnt, likeCnt, collectCnt }: Counts): string =>
  `reads ${readCnt}, likes ${likeCnt}, collects ${collectCnt}`;

const textOfMarks = ({ liked, collected }: OwnMarks): string =>
  `${liked ? 'liked' : 'not liked'}, ${collected ? 'collected' : 'not collected'}`;
