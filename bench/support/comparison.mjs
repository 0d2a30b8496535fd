// What `npm run bench -- ab` is asked to do. Read before anything is installed, so without packages.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { StackError } from '../../scripts/stack/stack-error.mjs';

const BENCHMARKS = ['http', 'likes', 'consume'];
/** An even number, so that each side is first equally often. */
const PAIRS = 10;
const EXAMPLE = 'npm run bench -- ab ../webook-before http';

/**
 * The checkout to compare with, as an absolute path, the benchmark, and the number of pairs.
 * @throws StackError that says in one sentence what is wrong
 */
export function parseComparison(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { pairs: { type: 'string', default: String(PAIRS) } },
  });
  const [folder, benchmark, ...rest] = positionals;
  if (!folder || !benchmark || rest.length > 0)
    throw new StackError(
      `ab needs the folder of another checkout and one of the benchmarks ${BENCHMARKS.join(', ')}, e.g. ${EXAMPLE}.`,
    );
  // npm runs scripts in the project's folder, and names the user's own.
  const checkout = resolve(process.env.INIT_CWD ?? '.', folder);
  if (!existsSync(checkout))
    throw new StackError(`There is no folder ${checkout}: give another checkout, e.g. ${EXAMPLE}.`);
  for (const file of ['package.json', 'scripts/build.mjs'])
    if (!existsSync(join(checkout, file)))
      throw new StackError(`${checkout} is not a checkout of this project: it has no ${file}.`);
  if (!BENCHMARKS.includes(benchmark))
    throw new StackError(
      `ab cannot compare by the benchmark ${benchmark}; it can by: ${BENCHMARKS.join(', ')}.`,
    );
  const pairs = Number(values.pairs);
  if (!Number.isInteger(pairs) || pairs < 2)
    throw new StackError('--pairs needs a whole number from 2 on, e.g. --pairs 10.');
  return { checkout, benchmark, pairs };
}
