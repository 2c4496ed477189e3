import { codeRules } from './tidy-code.ts';
import { projectRules } from './tidy-project.ts';
import type { TidyRule } from './tidy-rule.ts';
import { wordRules } from './tidy-words.ts';
import type { Outcome, Tree } from './tree.ts';

/** All rules of the tidy check. */
export const tidyRules: readonly TidyRule[] = [...codeRules, ...wordRules, ...projectRules];

/** Runs every rule over the tree. A rule that found nothing to look at is a finding itself. */
export function checkTidy(tree: Tree, rules: readonly TidyRule[] = tidyRules): Outcome {
  const outcomes = rules.map((rule) => ({ rule, outcome: rule.look(tree) }));
  const blind = outcomes
    .filter(({ outcome }) => outcome.seenCount === 0)
    .map(({ rule }) => ({
      path: 'tools/check',
      sentence: `the rule "${rule.name}" found nothing to look at. Correct its pattern: a blind rule must not pass.`,
    }));
  return { seenCount: tree.size, findings: [...blind, ...outcomes.flatMap(({ outcome }) => outcome.findings)] };
}
