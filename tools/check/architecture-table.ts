/**
 * A layer: a folder or a single file of the picture in ARCHITECTURE.md, and what it may know. Itself is always allowed.
 * In `layers` and `packages`, a name followed by " (types)" allows `import type` only.
 */
export type Layer = {
  readonly name: string;
  /** Folders (with a slash) and single modules that belong to it. */
  readonly at: readonly string[];
  readonly layers: readonly string[];
  /** npm packages and `node:` modules; `node:*` for all but node:child_process. */
  readonly packages: readonly string[];
  /** Packages that one file of the layer may import, not two. */
  readonly packagesOfOneFile?: readonly string[];
  /** Where the code goes instead, said in a failure. */
  readonly cure: string;
  /** False until its first module is written; then the test asks for `true`, and from there on for modules. */
  readonly isBuilt: boolean;
};

/** A known breach: kept here, with the reason and what has to happen before it goes. */
export type Debt = {
  readonly path: string;
  readonly imports: string;
  readonly reason: string;
  readonly removeWhen: string;
};

const serverBelowTheFaces = [
  'shared',
  'server/targets',
  'server/probes',
  'server/sessions',
  'server/lab',
  'server/live',
  'server/exports',
  'server/queries',
  'server/compare',
];
const files = ['node:fs', 'node:fs/promises', 'node:path', 'node:url'];

/** From the bottom up: what may import what. The one source of this table; ARCHITECTURE.md shows it as a picture. */
export const layers: readonly Layer[] = [
  {
    name: 'shared',
    at: ['shared/src/'],
    layers: [],
    packages: ['typebox', 'typebox/*'],
    cure: 'shared knows nobody and does no I/O. Move the code to server or web, or pass the value in.',
    isBuilt: true,
  },
  {
    name: 'lab',
    at: ['lab/src/'],
    layers: ['shared'],
    packages: ['node:*', 'node:child_process', 'typebox', 'typebox/*'],
    cure: 'The lab boots kernels and knows nothing of tracing. Move what traces to server/lab.',
    isBuilt: true,
  },
  {
    name: 'server/targets',
    at: ['server/src/targets/'],
    layers: ['shared', 'lab'],
    packages: ['node:*', 'node:child_process'],
    cure: 'A target knows only where a kernel is. Move what is about probes or sessions up.',
    isBuilt: true,
  },
  {
    name: 'server/probes',
    at: ['server/src/probes/'],
    layers: ['shared', 'server/targets'],
    packages: [...files, 'typebox', 'typebox/*'],
    cure: 'Probe code sees a target, never a machine or a session. Ask the target, or hand the events up.',
    isBuilt: true,
  },
  {
    name: 'server/sessions',
    at: ['server/src/sessions/'],
    layers: ['shared', 'server/probes', 'server/targets'],
    packages: [
      ...files,
      'node:crypto',
      'node:timers/promises',
      'node:zlib',
      'node:stream',
      'typebox',
      'typebox/*',
      'csv-parse',
    ],
    cure: 'A session owns a recording and knows no face of the server. Let the face listen to the session.',
    isBuilt: true,
  },
  {
    name: 'server/lab',
    at: ['server/src/lab/'],
    layers: ['shared', 'lab', 'server/targets', 'server/probes', 'server/sessions'],
    packages: [...files, 'node:timers/promises', 'node:crypto', 'smol-toml', 'typebox', 'typebox/*'],
    cure: 'server/lab brings guests and tracing together. How a guest boots belongs into lab, how it is shown into a face.',
    isBuilt: true,
  },
  {
    name: 'server/exports',
    at: ['server/src/exports/'],
    layers: ['shared', 'server/sessions (types)'],
    packages: [...files, 'node:stream', 'node:zlib', 'hyparquet-writer', 'pbf', 'pprof-format'],
    cure: 'An export turns a session into bytes. Pass in what it needs.',
    isBuilt: true,
  },
  {
    name: 'server/queries',
    at: ['server/src/queries/'],
    layers: ['shared', 'server/sessions', 'server/exports', 'server/live'],
    packages: ['node:fs', 'node:path', 'node:worker_threads', 'node:zlib', 'hyparquet-writer'],
    packagesOfOneFile: ['@duckdb/node-api'],
    cure: 'queries makes tables of closed sessions and asks them, in threads of its own. Put what records into sessions.',
    isBuilt: true,
  },
  {
    name: 'server/compare',
    at: ['server/src/compare/'],
    layers: ['shared', 'server/sessions', 'server/exports'],
    packages: files,
    cure: 'server/compare reads runs for the comparison in shared and prints it. Statistics go to shared/src/compare.',
    isBuilt: true,
  },
  {
    name: 'server/live',
    at: ['server/src/live/'],
    layers: ['shared', 'server/sessions (types)'],
    packages: ['socket.io', 'typebox', 'typebox/*', 'node:http', 'pino (types)', 'fastify (types)'],
    cure: 'The hub only says what a session says. Move decisions to sessions, commands to http.',
    isBuilt: true,
  },
  {
    name: 'server/http',
    at: ['server/src/http/'],
    layers: [...serverBelowTheFaces, 'lab (types)'],
    packages: ['fastify', '@fastify/*', 'typebox', 'typebox/*', 'node:*', 'pino', 'socket.io'],
    cure: 'http translates between the wire and the layers below it. Put the work below, the command line beside it.',
    isBuilt: true,
  },
  {
    name: 'server/cli',
    at: ['server/src/cli/'],
    layers: [...serverBelowTheFaces, 'server/http', 'lab'],
    packages: ['commander', 'fastify (types)', 'pino', 'node:*'],
    cure: 'A command translates words and prints. Put the work into the layers below it.',
    isBuilt: true,
  },
  {
    name: 'server/main',
    at: ['server/src/main.ts'],
    layers: [...serverBelowTheFaces, 'server/http', 'server/cli'],
    packages: ['commander', 'pino', 'node:*'],
    cure: 'main puts the parts together and holds nothing else.',
    isBuilt: true,
  },
  {
    name: 'web/api',
    at: ['web/src/api/'],
    layers: ['shared'],
    packages: ['socket.io-client'],
    cure: 'api speaks with the server and knows no page. Let the store call it.',
    isBuilt: true,
  },
  {
    name: 'web/store',
    at: ['web/src/store/'],
    layers: ['shared', 'web/api'],
    packages: [],
    packagesOfOneFile: ['react'],
    cure: 'The store is pure state and selectors; one file ties it to React. Move the rest to widgets or views.',
    isBuilt: true,
  },
  {
    name: 'web/widgets',
    at: ['web/src/widgets/'],
    layers: ['shared'],
    packages: ['react', 'react-dom', '@tanstack/react-virtual'],
    cure: 'A widget takes ready values and knows no store. Pass the value in from the view.',
    isBuilt: true,
  },
  {
    name: 'web/charts',
    at: ['web/src/charts/'],
    layers: ['shared', 'web/widgets'],
    packages: ['react', 'recharts', 'uplot', 'uplot/*'],
    cure: 'A chart takes ready series and knows no store. Select in store/, pass in from the view.',
    isBuilt: true,
  },
  {
    name: 'web/views',
    at: ['web/src/views/'],
    layers: ['shared', 'web/store', 'web/widgets', 'web/charts'],
    packages: ['react'],
    cure: 'Views read from the store. Move the call to store/ or api/.',
    isBuilt: true,
  },
  {
    name: 'web/main',
    at: ['web/src/main.tsx', 'web/src/expose.ts'],
    layers: ['shared', 'web/api', 'web/store', 'web/widgets', 'web/charts', 'web/views'],
    packages: ['react', 'react-dom/client'],
    cure: 'main puts the page together and holds nothing else.',
    isBuilt: true,
  },
];

/** Known breaches. One that is no longer needed fails the test. */
export const debts: readonly Debt[] = [];

/** How many modules there are at least; raise it as the house grows, so that a blind test cannot pass. */
export const modulesMin = 100;

/** The only places that may start a process: targets, and what runs outside the server. */
export const processFolders: readonly string[] = ['server/src/targets/', 'lab/', 'tools/'];

/** The one module that turns numbers into text for people. */
export const formatModule = 'shared/src/format.ts';

/** The modules that may do nothing but pass on what others export, by the name under which other workspaces import them. */
export const barrelModules: Readonly<Record<string, string>> = {
  '@faultline/shared': 'shared/src/index.ts',
  '@faultline/lab': 'lab/src/index.ts',
};
