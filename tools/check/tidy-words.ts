import { lineAt, lookAtFiles, type TidyRule } from './tidy-rule.ts';
import { type Finding, treeOf } from './tree.ts';

type Word = { readonly word: RegExp; readonly instead: string };

const textPath = /\.(tsx?|mjs|c|h|bt|css|html|md)$/;

/** This folder has to name the words it forbids. */
const isRuleText = (path: string): boolean => path.startsWith('tools/check/');

/** Names of files and folders that say nothing of what is in them. */
const emptyNames: readonly Word[] = [
  { word: /(^|\/)utils?(\.|\/|-|$)/i, instead: 'the noun it is about' },
  { word: /(^|\/)helpers?(\.|\/|-|$)/i, instead: 'the noun it is about' },
  { word: /(^|\/)(misc|common|stuff)(\.|\/|-|$)/i, instead: 'the noun it is about' },
  { word: /(^|\/|-)managers?(\.|\/|-|$)/i, instead: 'what it owns: session, library, hub' },
];

/** Words with a better one in docs/GLOSSARY.md. */
const banned: readonly Word[] = [
  { word: /\bold_?Build\b/i, instead: 'baseline' },
  { word: /\bnew_?Build\b/i, instead: 'candidate' },
  { word: /\bFIXME\b/, instead: 'a failing test, or a TODO(owner) that says until when' },
  { word: /\bTODO\b(?!\()/, instead: 'TODO(owner), with the condition that ends it' },
  { word: /\bXXX\b/, instead: 'a sentence that says what is wrong' },
  { word: /\b(white|black)list/i, instead: 'allowed or refused' },
  { word: /\bmilliseconds?Since\b/, instead: 'a name that ends in Ms' },
  // A Debian package may be called so (xz-utils): its name is not ours to choose.
  { word: /(?<!-)\b(utils|helperFunctions?)\b/, instead: 'the noun it is about' },
];

/** File names that say what is in the file. */
const names: TidyRule = {
  name: 'names',
  look: (tree) =>
    lookAtFiles(
      tree,
      (path) => !isRuleText(path),
      (path) =>
        emptyNames
          .filter(({ word }) => word.test(path))
          .map(
            ({ instead }): Finding => ({
              path,
              sentence: `its name says nothing of what is in it. Name it after ${instead}.`,
            }),
          ),
    ),
  bad: treeOf({ 'shared/src/utils.ts': '' }),
  good: treeOf({ 'shared/src/buckets.ts': '' }),
};

/** One word for one thing. */
const words: TidyRule = {
  name: 'words',
  look: (tree) =>
    lookAtFiles(
      tree,
      (path) => textPath.test(path) && !isRuleText(path),
      (path, text) =>
        banned.flatMap(({ word, instead }) =>
          [...text.matchAll(new RegExp(word.source, `${word.flags}g`))].map(
            (match): Finding => ({
              path,
              line: lineAt(text, match.index),
              sentence: `says "${match[0]}". Say ${instead}.`,
            }),
          ),
        ),
    ),
  bad: treeOf({ 'README.md': 'Compares the oldBuild with the new one.' }),
  good: treeOf({ 'README.md': 'Compares the baseline with the candidate. TODO(ann): remove when 6.1 is gone' }),
};

/** The rules about words. */
export const wordRules: readonly TidyRule[] = [names, words];
