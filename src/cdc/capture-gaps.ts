import { Injectable } from '@nestjs/common';
import { Subject } from 'rxjs';
import type { RowChange } from './row-change';

/** Changes of rows that were never captured, e.g. since the binlog was purged while the relay was down. */
export interface CaptureGap {
  readonly reason: string;
}

/** Tells what is derived from captured changes that it must be made anew from the database. */
@Injectable()
export class CaptureGaps {
  readonly gaps$ = new Subject<CaptureGap>();

  /**
   * For who has handled these changes: tells of what was rewritten without a change of each row. The
   * schema does not matter: of a statement on several tables Canal names one of them only.
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
