/** `faultline summary`: a recorded session printed as `record` printed it. */
import { formatInstant } from '@faultline/shared';
import { readFinalFigures } from '../sessions/session-totals.ts';
import { describeRecording } from '../exports/report.ts';
import { manifestsOf } from '../exports/text.ts';
import { openLibrary, sayRefusal, sessionStatus } from './sessions.ts';
import { complaint, type Terminal } from './terminal.ts';

/** Reads the totals, or the journal to its end, and prints. Status 1 where it can't be read. */
export async function summary(
  words: { readonly store: string; readonly session: string; readonly isJson: boolean },
  terminal: Terminal,
): Promise<number> {
  const library = await openLibrary(words.store, terminal);
  if (library === undefined) return sessionStatus.failed;
  const found = library.findReadable(words.session);
  if (!found.ok) return sayRefusal(found.error, terminal);
  const { manifest } = found.value;
  const { figures, damage } = await readFinalFigures(found.value);
  if (damage !== undefined)
    terminal.err(
      complaint(`the journal can't be read beyond this place: ${damage}`, 'What follows is from before it.'),
    );
  const answer = figures.summary(manifest);
  if (words.isJson) {
    terminal.out(`${JSON.stringify(answer, undefined, 2)}\n`);
    return sessionStatus.done;
  }
  const { id, name, label, createdAtMs, interruption, stop } = manifest;
  const head = [
    id,
    ...(name === undefined ? [] : [name]),
    ...(label === undefined ? [] : [label]),
    formatInstant(createdAtMs),
  ];
  const said = [head.join(' · '), ...[interruption?.message, stop?.message].filter((text) => text !== undefined)];
  terminal.out(`${[...said, ...describeRecording(answer, manifestsOf(manifest.runs), terminal.width)].join('\n')}\n`);
  return sessionStatus.done;
}
