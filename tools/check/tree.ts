import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** One file of the project: its text (empty for pictures and the like) and its size. */
export type TreeFile = { readonly text: string; readonly byteCount: number };

/** Files by their path from the working copy's top, with forward slashes. The checks see nothing else. */
export type Tree = ReadonlyMap<string, TreeFile>;

/** One thing found wrong: where, and a sentence that says what and how to cure it. */
export type Finding = { readonly path: string; readonly line?: number; readonly sentence: string };

/** What a check says: how many things it looked at (zero is a failure of its own) and what was wrong with them. */
export type Outcome = { readonly seenCount: number; readonly findings: readonly Finding[] };

const foldersNotOurs = new Set([
  '.git',
  'node_modules',
  'dist',
  'build',
  'coverage',
  '.cache',
  '.pnpm-store',
  '.faultline',
]);
const textFile = /(\.(ts|tsx|mjs|json|jsonl|md|css|html|yaml|c|h|bt|sh|svg)|\/run|bin\/[a-z-]+)$/;

/** Reads every file of a working copy except what is generated or installed. Works without git. */
export function readTree(root: string): Tree {
  const paths = readdirSync(root, { withFileTypes: true }).flatMap((entry) =>
    pathsBelow(root, entry.name, entry.isDirectory()),
  );
  return new Map(paths.toSorted().map((path) => [path, readTreeFile(root, path)]));
}

/** Makes a tree of texts, for tests and fixtures. */
export function treeOf(texts: Readonly<Record<string, string>>): Tree {
  return new Map(Object.entries(texts).map(([path, text]) => [path, { text, byteCount: text.length }]));
}

/** Prints a finding the way editors and terminals make a link of. */
export function findingLine(finding: Finding): string {
  const place = finding.line === undefined ? finding.path : `${finding.path}:${finding.line}`;
  return `${place}: ${finding.sentence}`;
}

function pathsBelow(root: string, path: string, isFolder: boolean): readonly string[] {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (!isFolder) return [path];
  if (foldersNotOurs.has(name)) return [];
  const entries = readdirSync(join(root, path), { withFileTypes: true });
  return entries.flatMap((entry) => pathsBelow(root, `${path}/${entry.name}`, entry.isDirectory()));
}

function readTreeFile(root: string, path: string): TreeFile {
  const byteCount = statSync(join(root, path)).size;
  return { text: textFile.test(path) ? readFileSync(join(root, path), 'utf8') : '', byteCount };
}
