import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { BIZ_PATTERN, BIZ_RULE } from './biz';
import { ValidationFailedError } from './validation-failed.error';

/** A path's kind of business object. */
@Injectable()
export class BizPipe implements PipeTransform<unknown, string> {
  transform(value: unknown, { data }: ArgumentMetadata): string {
    if (typeof value !== 'string' || !BIZ_PATTERN.test(value))
      throw new ValidationFailedError([{ field: data ?? 'biz', message: BIZ_RULE }]);
    return value;
  }
}
