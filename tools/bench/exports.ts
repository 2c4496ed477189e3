/** What exports and imports of a million events cost, against what one would do with the journal by hand. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emptyLedger, ensure, type RecordedRun, type Stream } from '../../shared/src/index.ts';
import { exportFormats } from '../../server/src/exports/formats.ts';
import { parseManifest } from '../../server/src/probes/catalogue.ts';
import { importSession } from '../../server/src/sessions/import-session.ts';
import { headLine, otherLine, tickLine } from '../../server/src/sessions/journal-line.ts';
import { Library } from '../../server/src/sessions/library.ts';
import { type BenchLine } from './bench-line.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const eventsWanted = 1_000_000;
const callsPerTick = 2_500;
const memoryBytesMax = 300 * 1024 ** 2;
/** Formats that are imported again. */
const importable = ['jsonl', 'archive', 'csv'] as const;

/** Each format in a process of its own, its start included; time, size and the most memory it had. */
export async function benchExports(): Promise<readonly BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
  try {
    const id = await makeSession(folder);
    const journal = join(folder, 'store', id, 'journal.jsonl');
    const byHand = {
      gzip: run(folder, ['gzip', '-k', '-c', journal]),
      parse: run(folder, [process.execPath, '--input-type=module', '-e', parseAll, journal]),
    };
    const lines = Object.keys(exportFormats).map((format) => {
      const file = join(folder, `session.${format}`);
      const words = ['export', id, '--store', join(folder, 'store'), '--format', format, '-o', file];
      const against = format === 'archive' ? 'gzip of the journal' : 'JSON.parse of each line of the journal';
      return lineOf(`export of 1M calls as ${format}`, faultline(folder, words), {
        ratio: format === 'archive' ? byHand.gzip.sec : byHand.parse.sec,
        against,
        note: `${(statSync(file).size / 1e6).toPrecision(3)} MB; the journal has ${(statSync(journal).size / 1e6).toPrecision(3)} MB`,
      });
    });
    const imports = importable.map((format) => {
      const store = join(folder, `from-${format}`);
      const cost = faultline(folder, ['import', join(folder, `session.${format}`), '--store', store]);
      return lineOf(`import of 1M calls from ${format}`, cost, {
        ratio: byHand.parse.sec,
        against: 'JSON.parse of each line of the journal',
      });
    });
    return [...lines, ...imports];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Cost = { readonly sec: number; readonly memoryBytes: number };

function lineOf(
  name: string,
  { sec, memoryBytes }: Cost,
  facts: { readonly ratio: number; readonly against: string; readonly note?: string },
): BenchLine {
  const memory = `at most ${(memoryBytes / 1024 ** 2).toPrecision(3)} MiB of memory`;
  return {
    name,
    figure: sec,
    unit: 's',
    ratio: sec / facts.ratio,
    against: facts.against,
    bound: '≤ 300 MiB',
    isWithinBound: memoryBytes <= memoryBytesMax,
    note: facts.note === undefined ? memory : `${facts.note}; ${memory}`,
  };
}

const parseAll =
  "import { createReadStream } from 'node:fs'; import { createInterface } from 'node:readline';" +
  'for await (const line of createInterface({ input: createReadStream(process.argv[1]) })) JSON.parse(line);';

function faultline(folder: string, words: readonly string[]): Cost {
  const told = join(folder, 'memory');
  const tell = `process.on('exit', () => process.getBuiltinModule('node:fs').writeFileSync(${JSON.stringify(told)}, String(process.resourceUsage().maxRSS)));`;
  const preload = `data:text/javascript,${encodeURIComponent(tell)}`;
  const cost = run(folder, [process.execPath, '--import', preload, join(root, 'server/src/main.ts'), ...words]);
  return { ...cost, memoryBytes: Number(readFileSync(told, 'utf8')) * 1024 };
}

function run(folder: string, [program = '', ...words]: readonly string[]): Cost {
  const beganMs = performance.now();
  const done = spawnSync(program, words, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${program} ${words.join(' ')}: ${done.stderr}`);
  return { sec: (performance.now() - beganMs) / 1000, memoryBytes: Number.NaN };
}

/** A closed session of captured calls of mmap-lock's detail, a µs apart; its id. It goes through the import, so that it is one. */
async function makeSession(folder: string): Promise<string> {
  const probe = parseManifest(
    readFileSync(join(root, 'probes/mmap-lock/manifest.json'), 'utf8'),
    'manifest.json',
    'mmap-lock',
  );
  const stream = ensure(
    probe.ok ? probe.value.streams.find(({ name }) => name === 'detail') : undefined,
    'mmap-lock has a stream detail',
  );
  const target = { id: 'host', kind: 'host', title: 'bench' } as const;
  const createdAtMs = 1_000;
  const lastAtMs = createdAtMs + (eventsWanted / callsPerTick) * 100;
  const recorded = runOf(stream);
  const facts = { faultline: '0.1.0', createdAtMs, target };
  const journal = [headLine({ session: 'bench', ...facts }), otherLine({ kind: 'run', run: recorded })];
  for (const tick of ticksOf(stream)) journal.push(tick);
  journal.push(otherLine({ kind: 'end', atMs: lastAtMs }));
  const text = journal.join('');
  const held = {
    tickCount: eventsWanted / callsPerTick,
    callCount: eventsWanted,
    eventCount: 0,
    journalBytes: Buffer.byteLength(text),
  };
  const manifest = {
    formatVersion: 1,
    id: 'bench',
    state: 'closed',
    ...facts,
    lastAtMs,
    notes: [],
    marks: [],
    isPinned: false,
    runs: [recorded],
    ledger: recorded.view.ledger,
    held,
  };
  const file = join(folder, 'made.jsonl');
  writeFileSync(file, `${JSON.stringify({ kind: 'faultline-session', formatVersion: 1, manifest })}\n${text}`);
  const library = await Library.open(join(folder, 'store'));
  if (!library.ok) throw new Error(library.error.message);
  const imported = await importSession(library.value.library, file);
  if (!imported.ok) throw new Error(imported.error.message);
  rmSync(file);
  return imported.value.id;
}

function runOf(stream: Stream): RecordedRun {
  const ledger = { ...emptyLedger(), seenCount: eventsWanted, emittedCount: eventsWanted, recordedCount: eventsWanted };
  return {
    stream,
    view: {
      id: 'run-0',
      index: 0,
      probe: 'mmap-lock',
      stream: stream.name,
      variant: 'tracepoint',
      attach: 'tracepoint',
      script: 'detail.bt',
      parameters: {},
      state: 'stopped',
      startedAtMs: 1_000,
      readyAtMs: 1_000,
      endedAtMs: 100_000,
      readyNs: 0,
      lastNs: eventsWanted * 1_000,
      ledger,
      findings: [],
      isComplete: true,
    },
  };
}

function* ticksOf(stream: Stream): Generator<string> {
  const captured = readFileSync(join(root, 'probes/mmap-lock/sample.detail.0.17.0.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"value"'))
    .map((line) => JSON.parse(line) as { readonly data: readonly (number | string)[] });
  const texts: string[] = [];
  for (let tick = 0; tick * callsPerTick < eventsWanted; tick += 1) {
    const before = texts.length;
    const calls = stream.columns.map(({ type }, position) =>
      Float64Array.from({ length: callsPerTick }, (_, at) => {
        const call = tick * callsPerTick + at;
        if (type === 'timeNs') return (call + 1) * 1_000;
        const value = captured[call % captured.length]?.data[position] ?? 0;
        if (typeof value === 'number') return value;
        if (!texts.includes(value)) texts.push(value);
        return texts.indexOf(value);
      }),
    );
    const [fromNs, toNs] = [tick * callsPerTick * 1_000, (tick + 1) * callsPerTick * 1_000];
    const newTexts = texts.slice(before);
    const empty = { newCells: [], cells: new Uint32Array(), deltas: new Float64Array() };
    const slice = { run: 0, fromNs, toNs, ...empty, firstText: before, newTexts, calls, callCount: callsPerTick };
    yield tickLine({ seq: tick + 1, atMs: 1_000 + tick * 100, hasStateChange: false, slices: [slice] });
  }
}
