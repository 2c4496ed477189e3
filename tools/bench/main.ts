/** pnpm bench: figures and ratios, side by side with what a user would do instead. Nothing here is a test. */
import { type BenchLine } from './bench-line.ts';

import { benchExports } from './exports.ts';
import { benchFalseAlarms } from './false-alarms.ts';
import { benchFanOut } from './fan-out.ts';
import { benchIngest } from './ingest.ts';
import { benchLab } from './lab.ts';
import { benchLive } from './live.ts';
import { benchCompare } from './compare.ts';
import { benchSessions } from './sessions.ts';
import { benchTracedProgram } from './traced-program.ts';

/** How long the live part loads the machine: pnpm bench live --minutes=10 for the figures of the README. */
const minutes = Number(/^--minutes=(.+)$/m.exec(process.argv.join('\n'))?.[1] ?? 1);

/** Each part by the name that `pnpm bench NAME` takes. */
const parts: Readonly<Record<string, () => Promise<readonly BenchLine[]>>> = {
  'traced-program': () => benchTracedProgram(7),
  ingest: async () => benchIngest(5),
  'fan-out': benchFanOut,
  live: () => benchLive(minutes),
  lab: () => benchLab(5),
  exports: benchExports,
  sessions: () => benchSessions(5),
  compare: () => benchCompare(5),
  'false-alarms': () => benchFalseAlarms(20),
};

/** Takes a machine to itself for twenty minutes and more: only by its name. */
const onlyByName = ['false-alarms'];

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const unknown = wanted.find((name) => !(name in parts));
if (unknown !== undefined) {
  process.stderr.write(`bench: there is no part ${unknown}; parts: ${Object.keys(parts).join(', ')}\n`);
  process.exit(2);
}

const lines: BenchLine[] = [];
for (const [name, run] of Object.entries(parts)) {
  if (wanted.length > 0 ? !wanted.includes(name) : onlyByName.includes(name)) continue;
  process.stderr.write(`bench: ${name} …\n`);
  lines.push(...(await run()));
}
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(lines, undefined, 2)}\n`);
else for (const line of lines) process.stdout.write(`${textOf(line)}\n`);

function textOf(line: BenchLine): string {
  const ratio = line.ratio === undefined ? '' : `  ${line.ratio.toPrecision(3)} × ${line.against ?? ''}`;
  const bound =
    line.bound === undefined ? '' : `  [${line.bound}: ${line.isWithinBound === true ? 'kept' : 'NOT kept'}]`;
  const note = line.note === undefined ? '' : `\n    ${line.note}`;
  return `${line.name}: ${line.figure.toPrecision(4)} ${line.unit}${ratio}${bound}${note}`;
}
