import { Injectable } from '@nestjs/common';
import { Subject } from 'rxjs';

/** Changes that were never captured, e.g. since the binlog was purged while the relay was down. */
export interface CaptureGap {
  readonly reason: string;
}

/** Tells what is derived from captured changes that it must be made anew from the database. */
@Injectable()
export class CaptureGaps {
  readonly gaps$ = new Subject<CaptureGap>();
}
