import { posix } from 'node:path';
import type { Debt, Layer } from './architecture-table.ts';
import { barrelModules, formatModule, processFolders } from './architecture-table.ts';
import { type ImportFact, type ModuleFacts, moduleFacts } from './module-facts.ts';
import type { Finding, Outcome, Tree } from './tree.ts';

/** The table the check holds the modules against. */
export type Architecture = {
  readonly layers: readonly Layer[];
  readonly debts: readonly Debt[];
  readonly modulesMin: number;
};

type Module = { readonly path: string; readonly layer: Layer | undefined; readonly facts: ModuleFacts };
type Modules = ReadonlyMap<string, Module>;

const sourceFile = /^(shared|server|web|lab)\/src\/.*\.tsx?$/;
const testFile = /\.test\.tsx?$/;
const numberFormatters = new Set(['toFixed', 'toLocaleString', 'toPrecision', 'NumberFormat']);

/**
 * Holds every module of shared, server and web against the table: who may import whom, no cycles, no default exports, no
 * barrels, processes and number formatting in their one place. Tests may import what they like.
 */
export function checkArchitecture(tree: Tree, architecture: Architecture): Outcome {
  const modules = readModules(tree, architecture.layers);
  const breaches = [...modules.values()].flatMap((module) => importFindings(module, modules, tree, architecture));
  return {
    seenCount: modules.size,
    findings: [
      ...coverageFindings(modules, architecture),
      ...breaches,
      ...[...modules.values()].flatMap((module) => formFindings(module)),
      ...processFindings(tree),
      ...oneFileFindings(modules, architecture.layers),
      ...cycleFindings(modules),
      ...staleDebtFindings(modules, architecture),
    ],
  };
}

function readModules(tree: Tree, layers: readonly Layer[]): Modules {
  const paths = [...tree.keys()].filter((path) => sourceFile.test(path) && !testFile.test(path));
  return new Map(
    paths.map((path) => {
      const layer = layers.find(({ at }) =>
        at.some((place) => path === place || (place.endsWith('/') && path.startsWith(place))),
      );
      return [path, { path, layer, facts: moduleFacts(path, tree.get(path)?.text ?? '') }];
    }),
  );
}

/** The check itself must see something: enough modules, and every layer that was ever built. */
function coverageFindings(modules: Modules, { layers, modulesMin }: Architecture): readonly Finding[] {
  const path = 'tools/check/architecture-table.ts';
  const findings: Finding[] = [];
  if (modules.size < modulesMin) {
    findings.push({
      path,
      sentence: `saw ${modules.size} modules, at least ${modulesMin} are known to exist. Find out what hides them.`,
    });
  }
  for (const layer of layers) {
    const isSeen = [...modules.values()].some((module) => module.layer === layer);
    if (isSeen && !layer.isBuilt)
      findings.push({
        path,
        sentence: `${layer.name} has modules now. Set its isBuilt to true, so that it stays seen.`,
      });
    if (!isSeen && layer.isBuilt)
      findings.push({
        path,
        sentence: `${layer.name} has no module at ${layer.at.join(' or ')}. Find out what hides them, or take the layer out of the table.`,
      });
  }
  for (const module of modules.values()) {
    if (module.layer === undefined)
      findings.push({
        path: module.path,
        sentence: `lies in no known layer. Move it into one of ${layers.map((layer) => layer.name).join(', ')}, or give its folder a line in ${path}.`,
      });
  }
  return findings;
}

function importFindings(
  module: Module,
  modules: Modules,
  tree: Tree,
  { layers, debts }: Architecture,
): readonly Finding[] {
  return module.facts.imports.flatMap((fact) => {
    const sentence = importProblem(module, fact, modules, tree, layers);
    const isOwed = debts.some((debt) => debt.path === module.path && debt.imports === fact.specifier);
    return sentence === undefined || isOwed ? [] : [{ path: module.path, line: fact.line, sentence }];
  });
}

function importProblem(
  from: Module,
  fact: ImportFact,
  modules: Modules,
  tree: Tree,
  layers: readonly Layer[],
): string | undefined {
  if (from.layer === undefined) return undefined;
  if (!fact.specifier.startsWith('.') && !fact.specifier.startsWith('@faultline/'))
    return packageProblem(from.layer, fact);
  if (fact.specifier.startsWith('@faultline/') && barrelModules[fact.specifier] === undefined) {
    return `imports ${fact.specifier}; only ${Object.keys(barrelModules).join(' and ')} are there for others. ${from.layer.cure}`;
  }
  const path = resolved(from.path, fact.specifier);
  const target = modules.get(path);
  if (target === undefined)
    return tree.has(path) && !testFile.test(path)
      ? undefined
      : `imports ${fact.specifier}, and there is no module ${path}. Correct the path (with its ending).`;
  if (workspaceOf(path) !== workspaceOf(from.path) && fact.specifier.startsWith('.'))
    return `imports ${path} by its path. Import @faultline/${workspaceOf(path)} instead.`;
  return layerProblem(from.layer, target, fact, layers);
}

function layerProblem(from: Layer, target: Module, fact: ImportFact, layers: readonly Layer[]): string | undefined {
  if (target.layer === undefined || target.layer === from) return undefined;
  const allowance = allowanceOf(from.layers, target.layer.name);
  if (allowance === 'all' || (allowance === 'types' && fact.isTypeOnly)) return undefined;
  const known = from.layers.length === 0 ? 'no other layer' : from.layers.join(', ');
  const isDownward = layers.indexOf(target.layer) < layers.indexOf(from);
  const why =
    allowance === 'types' ? 'it may import types from there, with `import type`' : `${from.name} may import ${known}`;
  return `imports ${target.path}, which is ${isDownward ? 'not one of its' : 'above it or beside it, not one of its'} layers: ${why}. ${from.cure}`;
}

function packageProblem(from: Layer, fact: ImportFact): string | undefined {
  const allowance = allowanceOf([...from.packages, ...(from.packagesOfOneFile ?? [])], fact.specifier);
  if (allowance === 'all' || (allowance === 'types' && fact.isTypeOnly)) return undefined;
  const known = from.packages.length === 0 ? 'no package' : from.packages.join(', ');
  return `imports ${fact.specifier}; ${from.name} may import ${known}. ${from.cure}`;
}

/** Whether a list of names, `prefix*` and `name (types)` covers a name. */
function allowanceOf(allowed: readonly string[], name: string): 'all' | 'types' | 'none' {
  if (name !== 'node:child_process' && allowed.some((each) => each.endsWith('*') && name.startsWith(each.slice(0, -1))))
    return 'all';
  if (allowed.includes(name)) return 'all';
  return allowed.includes(`${name} (types)`) ? 'types' : 'none';
}

function formFindings({ path, facts }: Module): readonly Finding[] {
  const defaults = facts.defaultExportLines.map((line) => ({
    path,
    line,
    sentence: 'has a default export. Export it by its name.',
  }));
  const mayBeBarrel = Object.values(barrelModules).includes(path);
  const isIndex = /\/index\.tsx?$/.test(path);
  const barrels =
    (facts.isBarrel || isIndex) && !mayBeBarrel
      ? [
          {
            path,
            sentence: `is a barrel; only ${Object.values(barrelModules).join(' and ')} may be one. Import from the files that hold the code.`,
          },
        ]
      : [];
  const formats = facts.members
    .filter((member) => path !== formatModule && numberFormatters.has(member.name.slice(member.name.indexOf('.') + 1)))
    .map(({ name, line }) => ({
      path,
      line,
      sentence: `calls ${name.slice(name.indexOf('.') + 1)}; numbers become text only in ${formatModule}. Call it, or add what it lacks there.`,
    }));
  return [...defaults, ...barrels, ...formats];
}

/** Over all our code, not only the layers: a process may start in a target, the lab and the tools. Tests may fake one. */
function processFindings(tree: Tree): readonly Finding[] {
  const paths = [...tree.keys()].filter(
    (path) => /\.(tsx?|mjs)$/.test(path) && !/(\.test\.tsx?$|\/test\/|\/bench\/)/.test(path),
  );
  return paths
    .filter((path) => !processFolders.some((folder) => path.startsWith(folder)))
    .flatMap((path) =>
      moduleFacts(path, tree.get(path)?.text ?? '')
        .imports.filter((fact) => fact.specifier.endsWith('child_process'))
        .map((fact) => ({
          path,
          line: fact.line,
          sentence: `imports ${fact.specifier}; a process is started only in ${processFolders.join(', ')}. Ask a target to start it.`,
        })),
    );
}

function oneFileFindings(modules: Modules, layers: readonly Layer[]): readonly Finding[] {
  return layers.flatMap((layer) =>
    (layer.packagesOfOneFile ?? []).flatMap((name) => {
      const importers = [...modules.values()].filter(
        (module) => module.layer === layer && module.facts.imports.some((fact) => fact.specifier === name),
      );
      return importers.slice(1).map(({ path }) => ({
        path,
        sentence: `imports ${name}, as ${importers[0]?.path} does already; one file of ${layer.name} may. ${layer.cure}`,
      }));
    }),
  );
}

/** Cycles, each told once, from its first module in the alphabet. */
function cycleFindings(modules: Modules): readonly Finding[] {
  const findings: Finding[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at !== -1) {
      const cycle = [...trail.slice(at), path];
      findings.push({
        path,
        sentence: `imports itself in a circle: ${cycle.join(' -> ')}. Move what both need into a file of its own.`,
      });
    }
    if (at !== -1 || done.has(path)) return;
    for (const next of neighbours(path, modules)) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of modules.keys()) visit(path, []);
  return findings;
}

function neighbours(path: string, modules: Modules): readonly string[] {
  const imports = modules.get(path)?.facts.imports ?? [];
  return imports.map((fact) => resolved(path, fact.specifier)).filter((next) => modules.has(next));
}

function staleDebtFindings(modules: Modules, { debts }: Architecture): readonly Finding[] {
  return debts
    .filter((debt) => !modules.get(debt.path)?.facts.imports.some((fact) => fact.specifier === debt.imports))
    .map((debt) => ({
      path: debt.path,
      sentence: `no longer imports ${debt.imports}. Take the exception out of tools/check/architecture-table.ts.`,
    }));
}

function resolved(from: string, specifier: string): string {
  const barrel = barrelModules[specifier];
  if (barrel !== undefined) return barrel;
  return specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : specifier;
}

function workspaceOf(path: string): string {
  return path.slice(0, path.indexOf('/'));
}
