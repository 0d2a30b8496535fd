import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { validate } from 'class-validator';
import { CollectionNameRequest } from './collection-name.request';

const read = async (name: string): Promise<string | null> => {
  const request = plainToInstance(CollectionNameRequest, { name });
  return (await validate(request)).length === 0 ? request.name : null;
};

describe('the name of a folder', () => {
  it.each([
    ['  To read ', 'To read'],
    ['Cafe\u0301', 'Caf\u00e9'],
    // The longest decomposition: four characters for one.
    ['\u03b1\u0313\u0300\u0345'.repeat(64), '\u1f82'.repeat(64)],
    [` ${'x'.repeat(64)}${' '.repeat(1_000)}`, 'x'.repeat(64)],
    ['😀'.repeat(64), '😀'.repeat(64)],
  ])('is composed and has no blanks around it: %j', async (given, name) => {
    expect(await read(given)).toBe(name);
  });

  it.each(['', ' '.repeat(1_000_000), 'x'.repeat(65), 'a\u0001', '😀'.repeat(65)])(
    'is not %.70j',
    async (given) => expect(await read(given)).toBeNull(),
  );

  it('is not composed when it is too long: that takes time by the square of the length', async () => {
    const normalize = jest.spyOn(String.prototype, 'normalize');
    try {
      expect(await read(`a${'\u0315\u0300'.repeat(260_000)}`)).toBeNull();
      expect(normalize).not.toHaveBeenCalled();
    } finally {
      normalize.mockRestore();
    }
  });
});
