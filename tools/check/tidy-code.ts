import { moduleFacts } from './module-facts.ts';
import { lookAtFiles, type TidyRule } from './tidy-rule.ts';
import { treeOf } from './tree.ts';

const functionLinesMax = 70;
const fileLinesMax = 400;

const isModule = (path: string): boolean => /\.(tsx?|mjs)$/.test(path);
const isMeasured = (path: string): boolean => /\.(tsx?|mjs|c|h|bt|css)$/.test(path);

/** Where a person is spoken to on a terminal: the command line, main, the tools, the lab and the benchmarks. */
const terminalPath = /^(server\/src\/(main\.ts|cli\/)|lab\/|tools\/|(server|web|shared)\/bench\/)/;

/** Claims (isTimeout) and listeners (onTimeout) hold no time. */
const timeName = /^(?!(?:is|has|on)[A-Z])\w*(?:[Ll]atency|[Dd]uration|[Tt]imeout|[Ii]nterval|[Ee]lapsed|[Dd]elay)$/;

/** A function fits on a screen. */
const functionLength: TidyRule = {
  name: 'functions',
  look: (tree) =>
    lookAtFiles(
      tree,
      (path) => isModule(path) || path.endsWith('.c'),
      (path, text) => {
        const functions = path.endsWith('.c') ? cFunctions(text) : moduleFacts(path, text).functions;
        return functions
          .filter((each) => each.lineCount > functionLinesMax)
          .map(({ name, line, lineCount }) => ({
            path,
            line,
            sentence: `${name} has ${lineCount} lines, at most ${functionLinesMax} fit on a screen. Move a part with a name of its own into a function.`,
          }));
      },
    ),
  bad: treeOf({ 'server/src/a.ts': `export function a() {${'\n'.repeat(functionLinesMax)}}` }),
  good: treeOf({ 'server/src/a.ts': `export function a() {${'\n'.repeat(functionLinesMax - 1)}}` }),
};

/** A file is one noun. */
const fileLength: TidyRule = {
  name: 'files',
  look: (tree) =>
    lookAtFiles(tree, isMeasured, (path, text) => {
      const lineCount = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
      if (lineCount <= fileLinesMax) return [];
      return [
        {
          path,
          sentence: `has ${lineCount} lines, at most ${fileLinesMax}. It holds more than one noun: give the second a file of its own.`,
        },
      ];
    }),
  bad: treeOf({ 'web/src/theme.css': 'a{}\n'.repeat(fileLinesMax + 1) }),
  good: treeOf({ 'web/src/theme.css': 'a{}\n'.repeat(fileLinesMax) }),
};

/** Only what has a terminal prints on it. */
const noConsole: TidyRule = {
  name: 'console',
  look: (tree) =>
    lookAtFiles(
      tree,
      (path) => isModule(path) && !terminalPath.test(path),
      (path, text) =>
        moduleFacts(path, text)
          .members.filter((member) => member.name.startsWith('console.'))
          .map(({ name, line }) => ({
            path,
            line,
            sentence: `calls ${name}. Return the value, or log with the logger that is passed in.`,
          })),
    ),
  bad: treeOf({ 'server/src/live/hub.ts': "console.log('x');" }),
  good: treeOf({ 'server/src/live/hub.ts': "// console.log('x')" }),
};

/** A name of a time says its unit. */
const timeUnits: TidyRule = {
  name: 'time units',
  look: (tree) =>
    lookAtFiles(
      tree,
      (path) => isModule(path),
      (path, text) =>
        moduleFacts(path, text)
          .declared.filter(({ name }) => timeName.test(name))
          .map(({ name, line }) => ({
            path,
            line,
            sentence: `${name} has no unit. Call it ${name}Ns, ${name}Us, ${name}Ms or ${name}Sec (a timer's handle: timer).`,
          })),
    ),
  bad: treeOf({ 'shared/src/event.ts': 'export type Call = { readonly latency: number };' }),
  good: treeOf({
    'shared/src/event.ts': 'export type Call = { readonly latencyNs: number; readonly isTimeout: boolean };',
  }),
};

/**
 * What is exported is explained: right above it, or by the comment at the head of its file. A type derived from a schema
 * is explained there.
 */
const explainedExports: TidyRule = {
  name: 'explained exports',
  look: (tree) =>
    lookAtFiles(
      tree,
      (path) => isModule(path) && !/(\.test\.tsx?$|\/test\/)/.test(path),
      (path, text) => {
        if (/^(\/\*\*|\/\/)/.test(text)) return [];
        const lines = text.split('\n');
        return lines.flatMap((line, index) => {
          const name = /^export (?:async )?(?:abstract )?(?:function\*?|const|class|type|interface) (\w+)/.exec(
            line,
          )?.[1];
          const above = lines[index - 1] ?? '';
          const isExplained = above.endsWith('*/') || above.startsWith('//') || /= Static</.test(line);
          if (name === undefined || isExplained) return [];
          const sentence = `${name} is exported without a word. Say above it, in one sentence, what it is, in which unit, and which errors.`;
          return [{ path, line: index + 1, sentence }];
        });
      },
    ),
  bad: treeOf({ 'shared/src/a.ts': 'export const rowsMax = 3;' }),
  good: treeOf({
    'shared/src/a.ts': '/** Rows kept at most: one screen. */\nexport const rowsMax = 3;\nexport { x };',
  }),
};

/** The rules about how code is written. */
export const codeRules: readonly TidyRule[] = [functionLength, fileLength, noConsole, timeUnits, explainedExports];

/** Functions of a C file written in kernel style: the body opens and closes in the first column. */
function cFunctions(text: string): readonly { name: string; line: number; lineCount: number }[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const isOneLineHead = /^\w.*\)\s*\{$/.test(line);
    if (line !== '{' && !isOneLineHead) return [];
    const closing = lines.findIndex((each, at) => at > index && each.startsWith('}'));
    const head = isOneLineHead ? line : (lines[index - 1] ?? '');
    const name = /(\w+)\s*\(/.exec(head)?.[1] ?? 'a function';
    return closing === -1 ? [] : [{ name, line: index + 1, lineCount: closing - index + 1 }];
  });
}
