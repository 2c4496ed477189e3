import { describe, expect, it } from 'vitest';
import { checkTidy, tidyRules } from './tidy.ts';
import { treeOf } from './tree.ts';

describe('the tidy check', () => {
  it.each(tidyRules.map((rule) => [rule.name, rule] as const))('%s: finds what is bad', (_name, rule) => {
    expect(rule.look(rule.bad).findings).not.toEqual([]);
  });

  it.each(tidyRules.map((rule) => [rule.name, rule] as const))(
    '%s: lets pass what is good, having looked',
    (_name, rule) => {
      const { seenCount, findings } = rule.look(rule.good);
      expect(findings).toEqual([]);
      expect(seenCount).toBeGreaterThan(0);
    },
  );

  it('fails a rule that had nothing to look at', () => {
    const { findings } = checkTidy(new Map());
    expect(findings).toHaveLength(tidyRules.length);
    expect(findings[0]?.sentence).toContain('found nothing to look at');
  });

  it('measures C functions in kernel style', () => {
    const tree = treeOf({ 'tools/load/load.c': `int main(void)\n{${'\n'.repeat(80)}}\n` });
    expect(checkTidy(tree).findings).toContainEqual(
      expect.objectContaining({ sentence: expect.stringContaining('main has 81 lines') }),
    );
  });
});
