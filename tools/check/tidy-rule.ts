import type { Outcome, Tree } from './tree.ts';

/** One rule over the project's text. It is a pure function of the tree, and brings the text that must make it fail. */
export type TidyRule = {
  readonly name: string;
  readonly look: (tree: Tree) => Outcome;
  /** A tree in which the rule must find something; its own test. */
  readonly bad: Tree;
  /** A tree it must leave alone. */
  readonly good: Tree;
};

/** Looks at every file whose path matches, and collects what is found: the shape of most rules. */
export function lookAtFiles(
  tree: Tree,
  isSubject: (path: string) => boolean,
  find: (path: string, text: string) => Outcome['findings'],
): Outcome {
  const subjects = [...tree].filter(([path]) => isSubject(path));
  return { seenCount: subjects.length, findings: subjects.flatMap(([path, file]) => find(path, file.text)) };
}

/** Line number, from 1, of an offset in a text. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
