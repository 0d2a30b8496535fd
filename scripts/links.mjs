// npm run links: checks that every relative link in README.md and docs/ points to a file.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { root } from './stack/paths.mjs';

const LINK = /\]\(([^)\s#]+)(?:#[^)]*)?\)/g;
const pages = [
  join(root, 'README.md'),
  ...readdirSync(join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(root, 'docs', file)),
];

const links = pages.flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(LINK)]
    .map(([, target]) => ({ page, target }))
    .filter(({ target }) => !/^[a-z]+:/.test(target)),
);
const broken = links.filter(({ page, target }) => !existsSync(join(dirname(page), target)));
for (const { page, target } of broken)
  console.error(`${relative(root, page)}: ${target} does not exist`);
console.log(`${links.length} links, ${broken.length} broken`);
process.exit(broken.length > 0 || links.length === 0 ? 1 : 0);
