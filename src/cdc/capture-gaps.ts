import { Injectable } from '@nestjs/common';
import { Subject } from 'rxjs';
import type { RowChange } from './row-change';

/** Changes of rows that were never captured, e.g. since the binlog was purged while the relay was down. */
export interface CaptureGap {
  readonly reason: string;
}

/** Reports gaps to everything that is derived from captured changes: it must reload from the database. */
@Injectable()
export class CaptureGaps {
  readonly gaps$ = new Subject<CaptureGap>();

  /**
   * Reports a gap when the handled messages contain a rewrite, whatever its schema: for a statement on
   * several tables Canal names only one of them.
   */
  notice(messages: Iterable<{ readonly value: readonly RowChange[] }>): void {
    for (const { value: changes } of messages) {
      const rewrite = changes.find(({ kind }) => kind === 'rewrite');
      if (!rewrite) continue;
      this.gaps$.next({ reason: `${rewrite.database}.${rewrite.table} was rewritten by DDL` });
      return;
    }
  }
}
