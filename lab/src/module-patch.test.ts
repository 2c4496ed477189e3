import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { applyPatch, prefixesOf } from './module-patch.ts';

const patches = fileURLToPath(new URL('../variants', import.meta.url));

/** A patch and a spatch that is a shell script: it changes something for each rule named in the file that it is given. */
async function applied(patch: string, spatch: string): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'faultline-patch-'));
  await writeFile(join(folder, 'my.cocci'), patch);
  await writeFile(join(folder, 'spatch'), `#!/bin/sh\n${spatch}\n`, { mode: 0o755 });
  const build = { headers: '', version: '', pahole: '', env: {}, spatch: join(folder, 'spatch') };
  const result = await applyPatch(join(folder, 'my.cocci'), folder, ['a.c'], build);
  return result.ok ? undefined : result.error.message;
}

const twoRules = '@first@\n@@\n-a();\n+b();\n\n@second depends on first@\nidentifier x;\n@@\n-c(x);\n';

describe('a semantic patch', () => {
  it('is cut behind each rule, and a rule that only looks is no change', () => {
    expect(prefixesOf(`// why\n\n@look@\nidentifier f;\n@@\n f();\n\n${twoRules}`)).toMatchObject([
      { rule: 'look', isChange: false },
      { rule: 'first', isChange: true },
      { rule: 'second', isChange: true, text: expect.stringMatching(/^\/\/ why\n\n@look@[^]*-c\(x\);\n$/) },
    ]);
    expect(prefixesOf('@@\n@@\n-a();\n')).toMatchObject([{ rule: 'rule of line 1', isChange: true }]);
  });

  it('that is shipped has named rules, each of which changes something', async () => {
    for (const file of await readdir(patches)) {
      const rules = prefixesOf(await readFile(join(patches, file), 'utf8'));
      expect(rules).not.toEqual([]);
      for (const { rule, isChange } of rules) {
        expect([file, rule]).toEqual([file, expect.stringMatching(/^[a-z_]+$/)]);
        expect([file, rule, isChange]).toEqual([file, rule, true]);
      }
    }
  });

  it('names the rule that matches nothing, though others match', async () => {
    const matchesFirst = 'case "$*" in *--parse-cocci*) ;; *) echo "+b();" ;; esac';
    expect(await applied(twoRules, matchesFirst)).toBe('the rule second of my.cocci matches nothing in a.c');
    expect(await applied(twoRules, 'true')).toBe('the rule first of my.cocci matches nothing in a.c');
    const matchesBoth = 'case "$*" in *--parse-cocci*) ;; *) cat "$3" | wc -l ;; esac';
    expect(await applied(twoRules, matchesBoth)).toBeUndefined();
  });

  it('that is none is refused with what coccinelle says', async () => {
    expect(await applied('@x@\n@@\n-a b(\n', 'echo "parse error: line 3" >&2; exit 255')).toMatch(
      /^my\.cocci is no semantic patch: [^]*parse error: line 3/,
    );
    expect(await applied('@x@\n@@\n a();\n', 'true')).toBe('my.cocci changes nothing');
  });
});
