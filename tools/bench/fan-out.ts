/** What ten clients get of a million events a second: delivered events, bytes, the server's CPU, and against JSON. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readAddress, readClientReport, readServerReport } from '../../server/bench/fan-out-messages.ts';
import type { BenchLine } from './bench-line.ts';

const clientCount = 10;
const clientProcesses = 2;
const callsPerTick = 100_000;
const rowsPerEmit = 10_000;
const warmUpMs = 2_000;
const measureMs = 6_000;

type Mode = 'paced' | 'flat-out' | 'rows';

type Measured = {
  /** Of the client that got least. */
  readonly eventsPerSec: number;
  readonly bytesPerEvent: number;
  readonly serverCpuShare: number;
  readonly mergedTicks: number;
  readonly droppedCalls: number;
};

/** Ten socket.io clients over loopback, in two processes; the server in a third. About half a minute. */
export async function benchFanOut(): Promise<BenchLine[]> {
  const paced = await measure('paced', callsPerTick);
  const flatOut = await measure('flat-out', callsPerTick);
  const rows = await measure('rows', rowsPerEmit);
  const merged = `${paced.mergedTicks} ticks merged, ${paced.droppedCalls} calls dropped`;
  return [
    {
      name: `events to each of ${clientCount} clients, 1M/s offered in ticks of 100 ms`,
      figure: paced.eventsPerSec / 1e6,
      unit: 'M events/s',
      bound: '≥ 1 M events/s',
      // A tick more or less falls into the time measured.
      isWithinBound: paced.eventsPerSec >= 0.98e6 && paced.droppedCalls === 0,
      note: `${merged}; the least of the ten clients`,
    },
    {
      name: 'bytes an event and client, on the wire',
      figure: paced.bytesPerEvent,
      unit: 'bytes',
      ratio: paced.bytesPerEvent / rows.bytesPerEvent,
      against: 'JSON arrays of objects',
      bound: '≤ 40 bytes',
      isWithinBound: paced.bytesPerEvent <= 40,
      note: 'nine columns of the mmap-lock detail; 38 bytes themselves, the rest is headers',
    },
    {
      name: `CPU of the server at 1M events/s to ${clientCount} clients`,
      figure: paced.serverCpuShare * 100,
      unit: '% of one CPU',
    },
    {
      name: `events to each of ${clientCount} clients, as fast as they take them`,
      figure: flatOut.eventsPerSec / 1e6,
      unit: 'M events/s',
      ratio: flatOut.eventsPerSec / rows.eventsPerSec,
      against: `JSON arrays of objects (${Math.round(rows.eventsPerSec / 1e3)}k events/s)`,
    },
  ];
}

async function measure(mode: Mode, calls: number): Promise<Measured> {
  const children: ChildProcess[] = [];
  try {
    const server = start(new URL('../../server/bench/fan-out-server.ts', import.meta.url), [
      mode,
      String(calls),
      String(clientCount),
    ]);
    children.push(server);
    const { url } = readAddress(await answerOf(server));
    const clients = Array.from({ length: clientProcesses }, () =>
      start(new URL('../../server/bench/fan-out-client.ts', import.meta.url), [
        url,
        String(clientCount / clientProcesses),
      ]),
    );
    children.push(...clients);
    await wait(warmUpMs);
    await ask([server, ...clients]);
    await wait(measureMs);
    const [ofServer, ...ofClients] = await ask([server, ...clients]);
    const { cpuShare, passedMs, bytesPerEvent } = readServerReport(ofServer);
    const counts = ofClients.flatMap((answer) => readClientReport(answer));
    return {
      eventsPerSec: Math.min(...counts.map(({ events }) => events)) / (passedMs / 1000),
      bytesPerEvent,
      serverCpuShare: cpuShare,
      mergedTicks: counts.reduce((sum, { mergedTicks }) => sum + mergedTicks, 0),
      droppedCalls: counts.reduce((sum, { droppedCalls }) => sum + droppedCalls, 0),
    };
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

function start(file: URL, words: readonly string[]): ChildProcess {
  const child = fork(fileURLToPath(file), [...words]);
  child.on('exit', (code) => {
    if (code !== null && code !== 0) throw new Error(`${file.pathname} ended with status ${code}`);
  });
  return child;
}

/** Asks all at the same moment. */
async function ask(children: readonly ChildProcess[]): Promise<readonly unknown[]> {
  const answers = children.map((child) => answerOf(child));
  for (const child of children) child.send('report');
  return Promise.all(answers);
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const [answer]: unknown[] = await once(child, 'message');
  return answer;
}
