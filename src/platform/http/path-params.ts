import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiParam, type ApiParamOptions } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { BIZ_PATTERN, BIZ_RULE, type ObjectRef } from '../business-object';
import { ID_RULE, ID_SCHEMA, parseId } from './id';
import { type FieldError, ValidationFailedError } from './validation-failed.error';

/*
 * Path parameters are read and validated in one step, without Nest's pipes: each pipe costs the hot
 * routes a promise.
 */

type PathParams = Readonly<Record<string, string | undefined>>;

const paramsOf = (context: ExecutionContext): PathParams =>
  context.switchToHttp().getRequest<FastifyRequest>().params as PathParams;

/** @throws ValidationFailedError (400) */
export function idIn(params: PathParams, name: string): number {
  const id = parseId(params[name]);
  if (id === null) throw new ValidationFailedError([{ field: name, message: ID_RULE }]);
  return id;
}

/** @throws ValidationFailedError (400) that names each wrong parameter */
export function objectIn({ biz = '', bizId }: PathParams): ObjectRef {
  const id = parseId(bizId);
  if (id !== null && BIZ_PATTERN.test(biz)) return { biz, bizId: id };
  const errors: FieldError[] = [];
  if (!BIZ_PATTERN.test(biz)) errors.push({ field: 'biz', message: BIZ_RULE });
  if (id === null) errors.push({ field: 'bizId', message: ID_RULE });
  throw new ValidationFailedError(errors);
}

const readId = createParamDecorator((name: string, context) => idIn(paramsOf(context), name));
const readObject = createParamDecorator((_: unknown, context) => objectIn(paramsOf(context)));

/** An id in the path, as a number. */
export const IdParam = (name = 'id'): ParameterDecorator =>
  documented(readId(name), { name, schema: ID_SCHEMA });

/** The business object that `:biz/:bizId` in the path names: `{ biz, bizId }`. */
export const ObjectParam = (): ParameterDecorator =>
  documented(
    readObject(),
    { name: 'biz', schema: { type: 'string', pattern: BIZ_PATTERN.source } },
    { name: 'bizId', schema: ID_SCHEMA },
  );

function documented(
  read: ParameterDecorator,
  ...params: readonly ApiParamOptions[]
): ParameterDecorator {
  return (controller, method, index) => {
    const name = method as string;
    const handler = Object.getOwnPropertyDescriptor(controller, name) as PropertyDescriptor;
    for (const param of params) ApiParam(param)(controller, name, handler);
    read(controller, method, index);
  };
}
