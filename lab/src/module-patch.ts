/** Semantic patches (.cocci, Coccinelle): applied to a module's source, rule by rule, so that none silently does nothing. */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { err, ok, type Result } from '@faultline/shared';
import { run } from './command.ts';
import type { KernelBuild } from './kernel-build.ts';
import type { LabError } from './lab-error.ts';

/** A patch up to and with one of its rules. */
export type PatchPrefix = { readonly rule: string; readonly isChange: boolean; readonly text: string };

/** The patch cut behind each of its rules: the text from the beginning on, so that a rule finds those it depends on. */
export function prefixesOf(patch: string): readonly PatchPrefix[] {
  const lines = patch.split('\n');
  // A rule: @name …@, its metavariables, @@, its body. `@@` alone begins one without a name, or ends the metavariables.
  const heads: { readonly rule: string; readonly at: number }[] = [];
  let isInHead = false;
  for (const [at, line] of lines.entries()) {
    if (!/^@.*@\s*$/.test(line)) continue;
    if (isInHead) isInHead = false;
    else {
      isInHead = true;
      const name = /^@\s*([A-Za-z_]\w*)/.exec(line)?.[1];
      heads.push({ rule: name ?? `rule of line ${at + 1}`, at });
    }
  }
  return heads.map(({ rule, at }, index) => {
    const end = heads[index + 1]?.at ?? lines.length;
    return {
      rule,
      isChange: lines.slice(at, end).some((line) => /^[+-]/.test(line)),
      text: lines.slice(0, end).join('\n'),
    };
  });
}

/**
 * Changes the sources (files of one folder) as the patch says. Error: it cannot be parsed, a rule of it changes nothing
 * (named), or coccinelle fails; the sources are then as they were, or partly changed, and of no use.
 */
export async function applyPatch(
  patchFile: string,
  folder: string,
  sources: readonly string[],
  build: KernelBuild,
): Promise<Result<void, LabError>> {
  const patch = await readFile(patchFile, 'utf8').catch(() => undefined);
  if (patch === undefined) return err(unfit(`${patchFile} cannot be read`, 'Give a .cocci file.'));
  const name = basename(patchFile);
  const spatch = (args: readonly string[]): Promise<Result<string, LabError>> =>
    run(build.spatch, ['--very-quiet', ...args], { cwd: folder, env: build.env });
  const parsed = await spatch(['--parse-cocci', patchFile]);
  if (!parsed.ok) {
    const reason = parsed.error.message.split('\n').slice(0, 8).join('\n');
    return err(
      unfit(`${name} is no semantic patch: ${reason}`, 'spatch --parse-cocci says the same; correct the patch.'),
    );
  }
  const prefixes = prefixesOf(patch);
  if (!prefixes.some(({ isChange }) => isChange))
    return err(unfit(`${name} changes nothing`, 'It has no + or - line.'));
  let before = '';
  for (const { rule, isChange, text } of prefixes) {
    const prefixFile = join(folder, 'prefix.cocci');
    await writeFile(prefixFile, text);
    let difference = '';
    for (const source of sources) {
      const shown = await spatch(['--sp-file', prefixFile, source]);
      if (!shown.ok) return shown;
      // The header of a diff names a temporary file.
      difference += shown.value.replaceAll(/^(?:---|\+\+\+|diff) .*$/gm, '');
    }
    if (isChange && difference === before) {
      return err(
        unfit(
          `the rule ${rule} of ${name} matches nothing in ${sources.join(', ')}`,
          'The source of this kernel looks different there; compare the context lines of the rule with it.',
        ),
      );
    }
    before = difference;
  }
  for (const source of sources) {
    const applied = await spatch(['--sp-file', patchFile, '--in-place', source]);
    if (!applied.ok) return applied;
  }
  return ok(undefined);
}

function unfit(message: string, remedy: string): LabError {
  return { kind: 'unknown', message, remedy };
}
