import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { ID_RULE, parseId } from './id';
import { ValidationFailedError } from './validation-failed.error';

/** A path's or query's id as a number. */
@Injectable()
export class IdPipe implements PipeTransform<unknown, number> {
  transform(value: unknown, { data }: ArgumentMetadata): number {
    const id = parseId(value);
    if (id === null) throw new ValidationFailedError([{ field: data ?? 'id', message: ID_RULE }]);
    return id;
  }
}
