import { posix } from 'node:path';
import { lineAt, lookAtFiles, type TidyRule } from './tidy-rule.ts';
import { type Finding, type Tree, treeOf } from './tree.ts';

const fileBytesMax = 500_000;

/** Every path a document names is there. */
const documentPaths: TidyRule = {
  name: 'paths in documents',
  look: (tree) => {
    const folders = foldersOf(tree);
    return lookAtFiles(
      tree,
      (path) => path.endsWith('.md'),
      (path, text) =>
        namedPaths(text, folders)
          .filter(({ name }) => !isThere(name, path, tree, folders))
          .map(({ name, line }) => ({
            path,
            line,
            sentence: `names ${name}, and there is none. Correct the path, or the sentence.`,
          })),
    );
  },
  bad: treeOf({ 'README.md': 'See `server/src/gone.ts`.', 'server/src/main.ts': '' }),
  good: treeOf({
    'README.md': 'See `server/src/main.ts` and [it](./server/src/main.ts#top), `probes/<name>/x.bt`.',
    'server/src/main.ts': '',
    'probes/a/a.bt': '',
  }),
};

/** A limit that limits nothing is a false promise. */
const usedLimits: TidyRule = {
  name: 'limits',
  look: (tree) => {
    const code = [...tree].filter(
      ([path]) => /\.(tsx?|mjs)$/.test(path) && !/\.test\.tsx?$/.test(path) && !path.endsWith('/limits.ts'),
    );
    return lookAtFiles(
      tree,
      (path) => path.endsWith('/limits.ts'),
      (path, text) =>
        [...text.matchAll(/^export const (\w+)/gm)]
          .filter(
            ([, name = '']) =>
              !code.some(([, file]) => new RegExp(`\\b${name}\\b`).test(file.text)) && !isUsedBeside(text, name),
          )
          .map((match) => ({
            path,
            line: lineAt(text, match.index),
            sentence: `${match[1]} limits nothing: no code uses it. Use it where it was meant, or delete it.`,
          })),
    );
  },
  bad: treeOf({ 'shared/src/limits.ts': 'export const rowsMax = 3;' }),
  good: treeOf({ 'shared/src/limits.ts': 'export const rowsMax = 3;', 'web/src/a.ts': 'if (count > rowsMax) {}' }),
};

/** What a probe's folder holds, in the words of CONTRIBUTING.md. */
const probeParts: readonly { readonly part: string; readonly pattern: RegExp }[] = [
  { part: 'README.md', pattern: /^README\.md$/ },
  { part: 'manifest.json', pattern: /^manifest\.json$/ },
  { part: 'a .bt file', pattern: /\.bt$/ },
  { part: 'a captured sample (sample*.jsonl)', pattern: /(^|\/)sample[^/]*\.jsonl$/ },
  { part: 'the golden decoding of a sample (*golden*.json)', pattern: /golden[^/]*\.json$/ },
];

/** A probe is a folder, and a whole one. */
const wholeProbes: TidyRule = {
  name: 'probe folders',
  look: (tree) => {
    const inside = [...tree.keys()].flatMap((path) => /^probes\/([^/]+)\/(.+)$/.exec(path)?.slice(1, 3) ?? []);
    const pairs = inside.flatMap((each, index) =>
      index % 2 === 0 ? [{ probe: each, file: inside[index + 1] ?? '' }] : [],
    );
    const probes = [...new Set(pairs.map(({ probe }) => probe))];
    const findings = probes.flatMap((probe) =>
      probeParts
        .filter(({ pattern }) => !pairs.some((pair) => pair.probe === probe && pattern.test(pair.file)))
        .map(
          ({ part }): Finding => ({
            path: `probes/${probe}`,
            sentence: `lacks ${part}. CONTRIBUTING.md says how a probe is added.`,
          }),
        ),
    );
    return { seenCount: probes.length, findings };
  },
  bad: treeOf({ 'probes/mmap-lock/manifest.json': '{}' }),
  good: treeOf({
    'probes/a/README.md': '',
    'probes/a/manifest.json': '{}',
    'probes/a/a.bt': '',
    'probes/a/sample.0.17.0.jsonl': '',
    'probes/a/sample.golden.json': '',
  }),
};

/** bpftrace as old as 0.17 runs every script. */
const dialect: TidyRule = {
  name: 'bpftrace dialect',
  look: (tree) =>
    lookAtFiles(
      tree,
      (path) => path.startsWith('probes/') && path.endsWith('.bt'),
      (path, text) => {
        const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, (comment) => comment.replaceAll(/[^\n]/g, ' '));
        const found = [...code.matchAll(/\bargs\.\w+|^\s*config\s*=|^\s*begin\b|^\s*end\b/gm)].map(
          (match): Finding => ({
            path,
            line: lineAt(code, match.index),
            sentence: `says "${match[0].trim()}", which bpftrace 0.17 does not know. Write args->x, BEGIN, END, and no config block.`,
          }),
        );
        const isExplained = /^(#!.*\n)?\s*\/[*/]/.test(text);
        return isExplained
          ? found
          : [
              ...found,
              {
                path,
                line: 1,
                sentence: 'has no header. Say the question, show some output, how to read it, and the kernels it fits.',
              },
            ];
      },
    ),
  bad: treeOf({ 'probes/a/a.bt': '/* why */\nkprobe:x { print(args.mode); }' }),
  good: treeOf({
    'probes/a/a.bt': '#!/usr/bin/env bpftrace\n/* args.mode is of 0.18 */\nkprobe:x { print(args->mode); }',
  }),
};

/** Nothing large is kept in the repository. */
const fileSizes: TidyRule = {
  name: 'file sizes',
  look: (tree) => {
    const findings = [...tree]
      .filter(([, file]) => file.byteCount > fileBytesMax)
      .map(
        ([path, file]): Finding => ({
          path,
          sentence: `has ${file.byteCount} bytes, at most ${fileBytesMax}. Shorten it, or make it when it is needed.`,
        }),
      );
    return { seenCount: tree.size, findings };
  },
  bad: treeOf({ 'docs/page.svg': 'x'.repeat(fileBytesMax + 1) }),
  good: treeOf({ 'docs/page.svg': 'x'.repeat(fileBytesMax) }),
};

/** A decision says whether it still holds. */
const decisions: TidyRule = {
  name: 'decisions',
  look: (tree) =>
    lookAtFiles(
      tree,
      (path) => /^docs\/decisions\/\d.*\.md$/.test(path),
      (path, text) =>
        /^\W*Status\W+\w/im.test(text)
          ? []
          : [{ path, sentence: 'has no Status. Add a line "Status: accepted" (or proposed, superseded by …).' }],
    ),
  bad: treeOf({ 'docs/decisions/0001-x.md': '# X\n\nBecause.' }),
  good: treeOf({ 'docs/decisions/0001-x.md': '# X\n\n- Status: accepted\n' }),
};

/** The rules about what belongs together. */
export const projectRules: readonly TidyRule[] = [
  documentPaths,
  usedLimits,
  wholeProbes,
  dialect,
  fileSizes,
  decisions,
];

function foldersOf(tree: Tree): ReadonlySet<string> {
  const folders = new Set<string>();
  for (const path of tree.keys()) {
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) folders.add(folder);
  }
  return folders;
}

/** Paths in `code` that begin with one of our top folders, and targets of relative links. Patterns and blocks are left out. */
function namedPaths(text: string, folders: ReadonlySet<string>): readonly { name: string; line: number }[] {
  const quoted = [...text.matchAll(/`([\w.@-]+(?:\/[\w.@-]+)+\/?)`/g)].filter(([, name = '']) =>
    folders.has(name.slice(0, name.indexOf('/'))),
  );
  const linked = [...text.matchAll(/\]\((?![a-z]+:|#)([^)\s#]+)[^)]*\)/g)];
  return [...quoted, ...linked].map((match) => ({ name: match[1] ?? '', line: lineAt(text, match.index) }));
}

/** Whether a path is there, seen from the top or from the document's own folder. */
function isThere(name: string, from: string, tree: Tree, folders: ReadonlySet<string>): boolean {
  const candidates = [posix.normalize(name), posix.join(posix.dirname(from), name)].map((path) =>
    path.replace(/\/$/, ''),
  );
  return candidates.some((path) => path === '.' || tree.has(path) || folders.has(path));
}

/** Whether a limit is used by another limit of the same file. */
function isUsedBeside(text: string, name: string): boolean {
  return [...text.matchAll(new RegExp(`\\b${name}\\b`, 'g'))].length > 1;
}
