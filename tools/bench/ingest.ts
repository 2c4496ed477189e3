/** How fast a captured detail stream becomes columns, against JSON.parse of the same bytes. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dialectOf } from '../../shared/src/index.ts';
import { LineSplitter } from '../../server/src/probes/bpftrace-lines.ts';
import { parseManifest } from '../../server/src/probes/catalogue.ts';
import { RunIntake } from '../../server/src/probes/run-intake.ts';
import { type BenchLine, median } from './bench-line.ts';

const folder = fileURLToPath(new URL('../../probes/mmap-lock/', import.meta.url));
const linesWanted = 1_000_000;
const chunkBytes = 65_536;

/** Lines a second on one core, CPU time, median of `rounds`. */
export function benchIngest(rounds: number): readonly BenchLine[] {
  const manifest = parseManifest(readFileSync(`${folder}manifest.json`, 'utf8'), 'manifest.json', 'mmap-lock');
  const stream = manifest.ok ? manifest.value.streams.find((one) => one.name === 'detail') : undefined;
  if (stream === undefined) throw new Error('probe mmap-lock has no stream detail');
  const captured = readFileSync(`${folder}sample.detail.0.17.0.jsonl`, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"value"'));
  const lines = Array.from({ length: linesWanted }, (_, at) => captured[at % captured.length] ?? '');
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  const ours: number[] = [];
  const parse: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    ours.push(cpuSec(() => ingest(stream, bytes)));
    parse.push(cpuSec(() => parseAll(bytes)));
  }
  const perSec = linesWanted / median(ours);
  const line = {
    name: 'detail lines into columns',
    figure: perSec / 1e6,
    unit: 'M lines a second and core',
    ratio: median(parse) / median(ours),
    against: 'JSON.parse of each line',
    bound: '≥ 1 M lines/s',
    isWithinBound: perSec >= 1e6,
    note: `${(bytes.length / linesWanted).toPrecision(3)} bytes a line, ${captured.length} different ones captured`,
  };
  return [line];
}

type DetailStream = ConstructorParameters<typeof RunIntake>[0];

function ingest(stream: DetailStream, bytes: Buffer): void {
  const intake = new RunIntake(stream, dialectOf('0.17.0'), { ready: () => {}, heartbeat: () => {} }, () => 0);
  const splitter = new LineSplitter(intake);
  let nowMs = 0;
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    splitter.push(bytes.subarray(at, at + chunkBytes), nowMs);
    nowMs += 5;
    // A tick empties the queue, as in the session.
    if (at % (chunkBytes * 16) === 0) intake.drain(0);
  }
  const ledger = intake.ledger();
  if (ledger.recordedCount !== linesWanted) throw new Error(`${ledger.recordedCount} of ${linesWanted} lines arrived`);
}

function parseAll(bytes: Buffer): void {
  let count = 0;
  for (const line of bytes.toString().split('\n')) {
    if (line !== '' && JSON.parse(line) !== undefined) count += 1;
  }
  if (count !== linesWanted) throw new Error('JSON.parse missed lines');
}

function cpuSec(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / 1e6;
}
