import type { Architecture } from './architecture.ts';
import { type Layer, layers } from './architecture-table.ts';
import { type Tree, treeOf } from './tree.ts';

/** A small house in which every rule is broken once. The check must find each of these, or it is blind. */
export const brokenTree: Tree = treeOf({
  'shared/src/index.ts': "export * from './limits.ts';",
  'shared/src/limits.ts': "import { readFileSync } from 'node:fs';\nexport const rowsMax = readFileSync('x').length;",
  'server/src/targets/host.ts': "import { plan } from '../probes/planner.ts';\nexport const host = plan;",
  'server/src/probes/planner.ts': "import { host } from '../targets/host.ts';\nexport const plan = host;",
  'server/src/probes/everything.ts': "export { plan } from './planner.ts';",
  'server/src/live/hub.ts': "import { Session } from '../sessions/session.ts';\nexport const hub = Session;",
  'server/src/live/gone.ts': "import { a } from './nowhere.ts';\nexport const b = a;",
  'server/src/sessions/session.ts': "import { spawn } from 'node:child_process';\nexport const Session = spawn;",
  'server/src/sessions/deep.ts':
    "import { rowsMax } from '../../../shared/src/limits.ts';\nexport const rows = rowsMax;",
  'server/src/elsewhere/lost.ts': 'export const lost = 1;',
  'web/src/store/first.ts': "import { useState } from 'react';\nexport const useFirst = useState;",
  'web/src/store/second.ts': "import { useState } from 'react';\nexport const useSecond = useState;",
  'web/src/views/live-view.tsx':
    "import { start } from '../api/http.ts';\nexport default start;\nexport const text = (1).toFixed(2);",
  'web/src/api/http.ts': "import { readFile } from 'node:fs/promises';\nexport const start = readFile;",
});

/** What must be said about it: place and words. */
export const brokenTreeFindings: readonly (readonly [path: string, words: RegExp])[] = [
  ['shared/src/limits.ts', /imports node:fs; shared may import typebox/],
  ['server/src/targets/host.ts', /imports server\/src\/probes\/planner.ts, which is above it/],
  ['server/src/targets/host.ts', /in a circle: .*host.ts -> .*planner.ts -> .*host.ts/],
  ['server/src/probes/everything.ts', /is a barrel/],
  ['server/src/live/hub.ts', /with `import type`/],
  ['server/src/live/gone.ts', /there is no module server\/src\/live\/nowhere.ts/],
  ['server/src/sessions/session.ts', /a process is started only in/],
  ['server/src/sessions/session.ts', /server\/sessions may import/],
  ['server/src/sessions/deep.ts', /Import @faultline\/shared instead/],
  ['server/src/elsewhere/lost.ts', /lies in no known layer/],
  ['web/src/store/second.ts', /imports react, as web\/src\/store\/first.ts does already/],
  ['web/src/views/live-view.tsx', /Views read from the store/],
  ['web/src/views/live-view.tsx', /has a default export/],
  ['web/src/views/live-view.tsx', /calls toFixed/],
  ['web/src/api/http.ts', /imports node:fs\/promises/],
  ['server/src/main.ts', /no longer imports node:os/],
  ['tools/check/architecture-table.ts', /server\/http has no module/],
  ['tools/check/architecture-table.ts', /at least 1000 are known/],
  ['tools/check/architecture-table.ts', /web\/charts has modules now|web\/api has modules now/],
];

/** The real table, with a layer wrongly taken for built, one wrongly not, and a debt that was paid. */
export const brokenArchitecture: Architecture = {
  layers: layers.map((layer): Layer => ({ ...layer, isBuilt: layer.name === 'server/http' })),
  debts: [{ path: 'server/src/main.ts', imports: 'node:os', reason: 'a fixture', removeWhen: 'never' }],
  modulesMin: 1000,
};
