import type { ArgumentMetadata } from '@nestjs/common';
import { Type } from 'class-transformer';
import { ValidateNested } from 'class-validator';
import { CursorQuery } from './cursor-query';
import { IsId } from './id';
import { RequestValidationPipe } from './request-validation.pipe';
import type { ValidationFailedError } from './validation-failed.error';

class Item {
  @IsId()
  bizId!: number;
}

class Items {
  @ValidateNested({ each: true })
  @Type(() => Item)
  objects!: Item[];

  @IsId({ each: true })
  ids: number[] = [1];
}

describe('RequestValidationPipe', () => {
  const pipe = new RequestValidationPipe();
  const body: ArgumentMetadata = { type: 'body', metatype: Items };
  const faults = async (value: unknown) => {
    try {
      await pipe.transform(value, body);
    } catch (error) {
      return (error as ValidationFailedError).errors;
    }
    return [];
  };

  it('names the path of each faulty field', async () => {
    const message = 'must be a whole number from 1 to 9007199254740991';
    expect(await faults({ objects: [{ bizId: 1 }, { bizId: '2' }], ids: [0], more: 1 })).toEqual([
      { field: 'more', message: 'is not a known field' },
      { field: 'objects.1.bizId', message },
      { field: 'ids', message },
    ]);
  });

  it.each([[[]], [5], ['x'], [null], [true]])('refuses the body %j', async (value) => {
    expect(await faults(value)).toEqual([{ field: 'body', message: 'must be a JSON object' }]);
  });

  it.each(['constructor', 'hasOwnProperty', 'toString', '__defineGetter__', 'prototype'])(
    'does not take %s for a known field',
    async (name) =>
      expect(await faults({ objects: [], [name]: 1 })).toEqual([
        { field: name, message: 'is not a known field' },
      ]),
  );

  it('treats a missing body as an empty one', async () => {
    class Optional {}
    const metatype = { type: 'body', metatype: Optional } as const;
    expect(await pipe.transform(undefined, metatype)).toBeInstanceOf(Optional);
  });

  it('converts query texts to numbers and ignores unknown parameters', async () => {
    const query: ArgumentMetadata = { type: 'query', metatype: CursorQuery };
    expect(await pipe.transform({ limit: '7', _: '1' }, query)).toEqual({ limit: 7 });
    await expect(pipe.transform({ limit: '101' }, query)).rejects.toThrow(/limit must be at most/);
    for (const limit of ['x', '1e1', '0x10', '+5', ' 10', '1.0', '', ['1', '2']])
      await expect(pipe.transform({ limit }, query)).rejects.toThrow(/limit must be a whole/);
  });
});
