import { Injectable, type PipeTransform } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { BIZ_PATTERN, BIZ_RULE, type ObjectRef } from '../../../platform/business-object';
import {
  type FieldError,
  ID_RULE,
  ID_SCHEMA,
  isId,
  isJsonObject,
  unknownFields,
  ValidationFailedError,
} from '../../../platform/http';

const LIMIT = 100;

/** One of the objects asked for. */
export class ObjectRefDto {
  @ApiProperty({ example: 'article', pattern: BIZ_PATTERN.source })
  biz!: string;

  @ApiProperty({ ...ID_SCHEMA, example: 42 })
  bizId!: number;
}

/** Documents the body that `ObjectsPipe` checks. */
export class ObjectsQueryDto {
  @ApiProperty({ type: [ObjectRefDto], minItems: 1, maxItems: LIMIT })
  objects!: ObjectRefDto[];
}

/**
 * Checks the body by hand: with nested DTOs, class-transformer and class-validator took more time than
 * the rest of such a request.
 */
@Injectable()
export class ObjectsPipe implements PipeTransform<unknown, readonly ObjectRef[]> {
  transform(body: unknown): readonly ObjectRef[] {
    if (!isJsonObject(body)) throw fault('body', 'must be a JSON object');
    const errors = unknownFields(body, ['objects']);
    const { objects } = body;
    if (!Array.isArray(objects) || objects.length < 1 || objects.length > LIMIT)
      errors.push({ field: 'objects', message: `must be a list of 1 to ${LIMIT} objects` });
    else objects.forEach((object, i) => errors.push(...faultsOf(object, `objects.${i}`)));
    if (errors.length > 0) throw new ValidationFailedError(errors);
    return objects as ObjectRef[];
  }
}

const fault = (field: string, message: string): ValidationFailedError =>
  new ValidationFailedError([{ field, message }]);

function faultsOf(object: unknown, path: string): FieldError[] {
  if (!isJsonObject(object)) return [{ field: path, message: 'must be an object' }];
  const errors = unknownFields(object, ['biz', 'bizId'], `${path}.`);
  if (typeof object.biz !== 'string' || !BIZ_PATTERN.test(object.biz))
    errors.push({ field: `${path}.biz`, message: BIZ_RULE });
  if (!isId(object.bizId)) errors.push({ field: `${path}.bizId`, message: ID_RULE });
  return errors;
}
