import {
  type ArgumentMetadata,
  Injectable,
  type PipeTransform,
  ValidationPipe,
} from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { isJsonObject, UNKNOWN_FIELD } from './json-object';
import { type FieldError, ValidationFailedError } from './validation-failed.error';

function fieldErrors(errors: ValidationError[], path = ''): FieldError[] {
  return errors.flatMap(({ property, constraints, children }) => {
    const field = path + property;
    const own = Object.entries(constraints ?? {}).map(([rule, message]) => ({
      field,
      message: rule === 'whitelistValidation' ? UNKNOWN_FIELD : message,
    }));
    return [...own, ...fieldErrors(children ?? [], `${field}.`)];
  });
}

const validation = (forbidNonWhitelisted: boolean): ValidationPipe =>
  new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted,
    transform: true,
    stopAtFirstError: true,
    exceptionFactory: (errors) => new ValidationFailedError(fieldErrors(errors)),
  });

/** Properties that every object inherits: the whitelist would take them for known fields. */
const isInherited = (name: string): boolean => name in Object.prototype || name === 'prototype';

function faultsOf(body: unknown): FieldError[] {
  if (!isJsonObject(body)) return [{ field: 'body', message: 'must be a JSON object' }];
  return Object.keys(body)
    .filter(isInherited)
    .map((field) => ({ field, message: UNKNOWN_FIELD }));
}

/**
 * Nest's ValidationPipe for bodies and queries that are DTOs. `@JsonBody()` and `@QueryDto()` apply
 * it; it is not global, because Nest would then run it on every parameter of the hot routes.
 */
@Injectable()
export class RequestValidationPipe implements PipeTransform {
  private readonly body = validation(true);
  private readonly query = validation(false);

  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    if (metadata.type !== 'body') return this.query.transform(value, metadata);
    const faults = value === undefined ? [] : faultsOf(value);
    if (faults.length > 0) throw new ValidationFailedError(faults);
    return this.body.transform(value, metadata);
  }
}
