/** Who may import whom: contexts meet only at their index.ts, the ground they stand on knows none of them. */
const contexts = 'article|interactive|history|relation|ranking';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'context-through-its-index',
      severity: 'error',
      comment: 'A context is used through its index.ts only.',
      from: { path: `^src/(${contexts}|cli)/` },
      to: { path: `^src/(${contexts})/`, pathNot: [`^src/(${contexts})/index\\.ts$`, '^src/$1/'] },
    },
    {
      name: 'ground-knows-no-context',
      severity: 'error',
      from: { path: '^src/(platform|messaging|cdc)/' },
      to: { path: `^src/(${contexts}|cli)/` },
    },
    {
      name: 'platform-stands-alone',
      severity: 'error',
      from: { path: '^src/platform/' },
      to: { path: '^src/(messaging|cdc)/' },
    },
    {
      name: 'messaging-knows-no-cdc',
      severity: 'error',
      from: { path: '^src/messaging/' },
      to: { path: '^src/cdc/' },
    },
    {
      name: 'source-knows-no-test',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.spec\\.ts$' },
      to: { path: '^test/' },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
