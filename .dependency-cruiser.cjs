/**
 * Which module may import which. A room is a folder of src (a bounded context, cdc, messaging, cli) or
 * of src/platform. Rooms import each other through their index.ts only.
 */
const contexts = 'article|history|interactive|ranking|reader|relation';
const room = 'platform/[^/]+|[^/]+';

/** In src/interactive data flows in one direction: a room imports only the rooms before it. */
const interactiveRooms = ['model', 'cache', 'counters', 'marks', 'object-state'];
const oneDirection = interactiveRooms.map((name, index) => ({
  name: `interactive-${name}-imports-earlier-rooms-only`,
  severity: 'error',
  from: { path: `^src/interactive/${name}/` },
  to: {
    path: '^src/interactive/',
    pathNot: `^src/interactive/(${interactiveRooms.slice(0, index + 1).join('|')})/`,
  },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'room-through-its-index',
      severity: 'error',
      comment: 'Import the index.ts of another room, not a file inside of it.',
      from: { path: `^src/(${room})/` },
      to: { path: `^src/(${room})/`, pathNot: [`^src/(${room})/index\\.ts$`, '^src/$1/'] },
    },
    {
      name: 'program-through-the-rooms-indexes',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$' },
      to: { path: `^src/(${room})/`, pathNot: `^src/(${room})/index\\.ts$` },
    },
    {
      name: 'shared-rooms-know-no-context',
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
    ...oneDirection,
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
