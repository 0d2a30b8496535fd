import { hasTooManyParameters, parseQuery } from './query-parameters';

describe('parseQuery', () => {
  it.each([
    ['', {}],
    ['limit=20&cursor=a%2Bb', { limit: '20', cursor: 'a+b' }],
    ['limit=1&limit=2', { limit: ['1', '2'] }],
    ['a&=b&c=d=e', { a: '', '': 'b', c: 'd=e' }],
    ['a=%zz&b=%E0%A4', { a: '%zz', b: '\uFFFD' }],
    ['__proto__=1', JSON.parse('{"__proto__":"1"}')],
  ])('reads %j', (query, parameters) => {
    expect({ ...parseQuery(query) }).toEqual(parameters);
    expect(hasTooManyParameters(parseQuery(query))).toBe(false);
  });

  it('gives up on more than 32 parameters', () => {
    const query = (count: number) => Array.from({ length: count }, (_, i) => `k${i}=1`).join('&');
    expect(Object.keys(parseQuery(query(32)))).toHaveLength(32);
    for (const excessive of [query(33), query(5_000), '&'.repeat(15_000)])
      expect(hasTooManyParameters(parseQuery(excessive))).toBe(true);
  });
});
