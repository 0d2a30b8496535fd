import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database';
import { InteractiveCache } from './interactive.cache';
import { InteractiveRepository } from './interactive.repository';
import { keyOfObject } from './mark.group';
import { MarkRepository } from './mark.repository';
import type { CounterRow, Counts, ObjectRef } from './states';

/** A derived value that is not what it is derived from says. */
export interface Drift extends ObjectRef {
  readonly what: 'like_cnt' | 'collect_cnt' | 'cache';
  /** What is stored. */
  readonly found: string;
  /** What it should be. */
  readonly expected: string;
}

export interface VerifyOptions {
  /** Corrects what has drifted. */
  readonly repair: boolean;
  onDrift(drift: Drift): void;
  onProgress(done: number, total: number): void;
}

const CHUNK = 500;
/** How long a cache may lag behind the database before it counts as drifted: attempts, and ms between. */
const SETTLE_ATTEMPTS = 20;
const SETTLE_PAUSE = 250;

/**
 * Compares the counters with the like and collect records, and the caches with the counters, while
 * the program runs: what differs is looked at again under a lock before it is called drift.
 */
@Injectable()
export class InteractiveVerifier {
  constructor(
    private readonly database: Database,
    private readonly repository: InteractiveRepository,
    private readonly marks: MarkRepository,
    private readonly cache: InteractiveCache,
  ) {}

  /** @returns how many values have drifted */
  async verify({ repair, onDrift, onProgress }: VerifyOptions): Promise<number> {
    let drifted = 0;
    let done = 0;
    const report = (drifts: readonly Drift[]): void => {
      drifted += drifts.length;
      drifts.forEach(onDrift);
    };
    const total = await this.repository.estimate();
    for await (const rows of this.chunks()) {
      report(await this.verifyCounters(rows, repair));
      report(await this.verifyCaches(rows, repair));
      done += rows.length;
      onProgress(done, total);
    }
    for await (const objects of this.markedWithoutRow())
      for (const object of objects) report(await this.recheck(object, repair));
    return drifted;
  }

  /** Writes every counter row to the caches, which stay in use meanwhile. */
  async rebuild(onProgress: (done: number, total: number) => void): Promise<number> {
    let done = 0;
    const total = await this.repository.estimate();
    for await (const rows of this.chunks()) {
      await this.cache.drop(rows);
      // Read once more: a row that changed since the scan must not be put back as it was.
      await this.cache.keep(await this.repository.counters(rows));
      done += rows.length;
      onProgress(done, total);
    }
    return done;
  }

  private async *chunks(): AsyncGenerator<CounterRow[]> {
    let afterId = 0;
    for (;;) {
      const rows = await this.repository.scan(afterId, CHUNK);
      const last = rows.at(-1);
      if (!last) return;
      yield rows;
      afterId = last.id;
    }
  }

  private async verifyCounters(rows: readonly CounterRow[], repair: boolean): Promise<Drift[]> {
    const [likes, collects] = await Promise.all([
      this.marks.likeTotals(rows),
      this.marks.collectTotals(rows),
    ]);
    const likesOf = new Map(likes.map((each) => [keyOfObject(each), each.total]));
    const collectsOf = new Map(collects.map((each) => [keyOfObject(each), each.total]));
    const drifts: Drift[] = [];
    for (const row of rows) {
      const key = keyOfObject(row);
      const fits =
        row.likeCnt === (likesOf.get(key) ?? 0) && row.collectCnt === (collectsOf.get(key) ?? 0);
      if (!fits) drifts.push(...(await this.recheck(row, repair)));
    }
    return drifts;
  }

  /** With the row locked no like or collect of the object commits, so the two counts belong together. */
  private async recheck(object: ObjectRef, repair: boolean): Promise<Drift[]> {
    const drifts = await this.repository.locked(object, async (tx, row) => {
      const { biz, bizId } = object;
      const [counted] = await tx.rows<{ likes: number; collects: number }>(
        `SELECT (SELECT COUNT(*) FROM likes WHERE biz_id = ? AND biz = ? AND status = 1) AS likes,
          (SELECT COUNT(*) FROM collection_items WHERE biz_id = ? AND biz = ? AND status = 1) AS collects`,
        [bizId, biz, bizId, biz],
      );
      const { likes = 0, collects = 0 } = counted ?? {};
      const found = { likes: row?.likeCnt ?? 0, collects: row?.collectCnt ?? 0 };
      const drift: Drift[] = [];
      if (found.likes !== likes)
        drift.push({
          biz,
          bizId,
          what: 'like_cnt',
          found: String(found.likes),
          expected: String(likes),
        });
      if (found.collects !== collects)
        drift.push({
          biz,
          bizId,
          what: 'collect_cnt',
          found: String(found.collects),
          expected: String(collects),
        });
      if (drift.length > 0 && repair)
        await this.repository.correct(tx, object, likes, collects, Date.now());
      return drift;
    });
    if (drifts.length > 0 && repair) await this.refresh([object]);
    return drifts;
  }

  /** What is cached must be the row, or on its way to it: change capture needs its moment. */
  private async verifyCaches(rows: readonly CounterRow[], repair: boolean): Promise<Drift[]> {
    let suspects: readonly ObjectRef[] = rows;
    let drifts: Drift[] = [];
    for (let attempt = 1; suspects.length > 0; attempt++) {
      const [cached, present] = await Promise.all([
        this.cache.read(suspects, null),
        this.repository.counters(suspects),
      ]);
      const rowOf = new Map(present.map((row) => [keyOfObject(row), row]));
      drifts = suspects.flatMap((object, i) => {
        const counters = cached[i]?.counters;
        const row = rowOf.get(keyOfObject(object));
        if (!counters || !row || textOf(counters) === textOf(row)) return [];
        const { biz, bizId } = object;
        return [
          { biz, bizId, what: 'cache' as const, found: textOf(counters), expected: textOf(row) },
        ];
      });
      suspects = drifts;
      if (attempt === SETTLE_ATTEMPTS || drifts.length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, SETTLE_PAUSE));
    }
    if (repair) await this.refresh(drifts);
    return drifts;
  }

  private async refresh(objects: readonly ObjectRef[]): Promise<void> {
    await this.cache.drop(objects);
    await this.cache.keep(await this.repository.counters(objects));
  }

  /** Objects that somebody likes or has collected, but that have no counters at all. */
  private async *markedWithoutRow(): AsyncGenerator<ObjectRef[]> {
    for (const table of ['likes', 'collection_items']) {
      let after: [number, string] = [0, ''];
      for (;;) {
        const rows = await this.database.rows<{ biz: string; biz_id: number; id: number | null }>(
          `SELECT m.biz_id, m.biz, i.id FROM (
             SELECT DISTINCT biz_id, biz FROM ${table}
             WHERE biz_id >= ? AND (biz_id > ? OR biz > ?) AND status = 1
             ORDER BY biz_id, biz LIMIT ${CHUNK}
           ) m LEFT JOIN interactives i ON i.biz_id = m.biz_id AND i.biz = m.biz
           ORDER BY m.biz_id, m.biz`,
          [after[0], after[0], after[1]],
        );
        const last = rows.at(-1);
        if (!last) break;
        after = [last.biz_id, last.biz];
        yield rows
          .filter(({ id }) => id === null)
          .map((row) => ({ biz: row.biz, bizId: row.biz_id }));
      }
    }
  }
}

const textOf = ({ readCnt, likeCnt, collectCnt }: Counts): string =>
  `reads ${readCnt}, likes ${likeCnt}, collects ${collectCnt}`;
