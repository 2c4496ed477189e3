/** The gate: whether runs may be compared at all. What must be alike is; what differs on purpose is said at the top. */
import { formatBytes, formatElapsed, formatExact } from '../format.ts';
import type { ComparedRun } from './run.ts';

/** A difference between the sides, or within one of them. */
export type GateFinding = {
  readonly name: string;
  /** blocking: nothing is compared. note: said at the top. */
  readonly level: 'blocking' | 'note';
  readonly message: string;
};

type Fact = {
  readonly name: string;
  readonly title: string;
  /** What it does to a comparison when it differs between the sides; within a side it always blocks. */
  readonly level: GateFinding['level'];
  /** In words; undefined where it was not written down. */
  readonly read: (run: ComparedRun) => string | undefined;
};

const notGiven = 'not known';

const facts: readonly Fact[] = [
  fact('workload', 'workload', ({ work }) => work?.name),
  fact('bar-size', 'size of the BAR', ({ work }) => known(work?.barBytes, formatBytes)),
  fact('alignment', 'alignment', ({ work }) => known(work?.isMisaligned, (is) => (is ? 'misaligned' : 'aligned'))),
  fact('threads', 'threads', ({ work }) => known(work?.threads, formatExact)),
  fact('repetitions', 'repetitions', ({ work }) => known(work?.repetitions, formatExact)),
  fact('arguments', 'arguments of the workload', ({ work }) => known(work?.arguments, (words) => words.join(' '))),
  { ...fact('device', 'address of the device', ({ device }) => device), level: 'note' },
  fact('thp', 'transparent huge pages', ({ identity }) => identity?.thpMode),
  fact('cpus', 'number of CPUs', ({ identity }) => known(identity?.cpuCount, formatExact)),
  fact('cpu-model', 'CPU', ({ identity }) => identity?.cpuModel),
  fact('page-size', 'page size', ({ identity }) => known(identity?.pageBytes, formatBytes)),
  fact('machine', 'architecture', ({ identity }) => identity?.machine),
  fact(
    'accelerator',
    'accelerator',
    ({ accelerator, identity }) =>
      accelerator ?? known(identity?.isEmulated, (is) => (is ? 'emulated' : 'not emulated')),
  ),
  fact('bpftrace', 'bpftrace', ({ identity }) => identity?.bpftraceVersion),
  fact('streams', 'what is traced', ({ streams }) => sorted(streams.map(({ view }) => `${view.probe}:${view.stream}`))),
  fact('parameters', 'parameters of the probes', ({ streams }) =>
    sorted(streams.map(({ view }) => `${view.probe}:${view.stream} ${JSON.stringify(view.parameters)}`)),
  ),
  {
    ...fact('era', 'era of the fault handler', ({ era }) => (era === 'none' ? era : era?.toUpperCase())),
    level: 'note',
  },
  {
    ...fact('realtime', 'PREEMPT_RT', ({ identity }) => known(identity?.isRealtime, (is) => (is ? 'yes' : 'no'))),
    level: 'note',
  },
];

/** Everything that stands between a baseline and a candidate, blocking findings first. */
export function gate(baseline: readonly ComparedRun[], candidate: readonly ComparedRun[]): readonly GateFinding[] {
  const sides = [
    { word: 'baseline', runs: baseline },
    { word: 'candidate', runs: candidate },
  ];
  const findings = [
    ...sides.flatMap(({ word, runs }) => [
      ...emptySide(word, runs),
      ...mixedSide(word, runs),
      ...lossOf(word, runs),
      ...liveOf(word, runs),
    ]),
    ...facts.flatMap((one) => differenceOf(one, baseline, candidate)),
    ...unnamedWork(baseline, candidate),
    ...hostsOf(baseline, candidate),
    ...variantsOf(baseline, candidate),
    ...configOf(baseline, candidate),
    ...costOf(baseline, candidate),
    ...emulationOf([...baseline, ...candidate]),
  ];
  return (
    withoutRepeats(findings)
      // Names of CPUs, modes and losses come from files that others made.
      .map((one) => ({ ...one, message: one.message.replaceAll(/\p{Cc}/gu, ' ') }))
      .toSorted((left, right) => Number(left.level === 'note') - Number(right.level === 'note'))
  );
}

/** What a workload was given, one fact each. */
const givenToWork = ['bar-size', 'alignment', 'threads', 'repetitions'];

/**
 * Leaves out what another finding says already: arguments are the workload's own words for its size, alignment, threads or
 * name, another workload is given other things, and a stream that only one side has had its parameters there alone.
 */
function withoutRepeats(findings: readonly GateFinding[]): readonly GateFinding[] {
  const names = new Set(findings.map(({ name }) => name));
  const isOtherWork = findings.some(({ name, level }) => name === 'workload' && level === 'blocking');
  const isRepeat = ({ name, level }: GateFinding): boolean =>
    (name === 'arguments' && ['workload', ...givenToWork].some((one) => names.has(one))) ||
    (name === 'parameters' && names.has('streams')) ||
    (isOtherWork && level === 'note' && givenToWork.includes(name));
  return findings.filter((one) => !isRepeat(one));
}

/** Whether the gate lets nothing through. */
export function isBlocked(findings: readonly GateFinding[]): boolean {
  return findings.some(({ level }) => level === 'blocking');
}

function emptySide(word: string, runs: readonly ComparedRun[]): readonly GateFinding[] {
  return runs.length === 0 ? [{ name: 'runs', level: 'blocking', message: `the ${word} has no run` }] : [];
}

/** Runs of one side must be runs of the same thing, or their spread means nothing. */
function mixedSide(word: string, runs: readonly ComparedRun[]): readonly GateFinding[] {
  const variants = fact('variants', 'variants of the probes', ({ streams }) =>
    sorted(streams.map(({ view }) => `${view.probe}:${view.stream} ${view.variant}`)),
  );
  const all = [fact('build', 'build', ({ build }) => build), variants, ...facts];
  return all.flatMap(({ name, title, read }) => {
    const values = distinct(runs, read);
    if (values.length < 2) return [];
    return [{ name, level: 'blocking', message: `runs of the ${word} differ in ${title}: ${values.join(', ')}` }];
  });
}

/** A run of which something was lost counts too little, and nobody knows how much. */
function lossOf(word: string, runs: readonly ComparedRun[]): readonly GateFinding[] {
  return runs.flatMap(({ id, streams }) => {
    const lossy = streams.filter(({ view }) => !view.isComplete);
    if (lossy.length === 0) return [];
    const which = lossy.map(({ view }) => `${view.probe}:${view.stream}${reasonOf(view.findings)}`).join('; ');
    return [{ name: 'loss', level: 'blocking', message: `${id} of the ${word} is incomplete: ${which}` }];
  });
}

/** A run that goes on: another answer in a minute, and as long as the other side only by chance. */
function liveOf(word: string, runs: readonly ComparedRun[]): readonly GateFinding[] {
  return runs
    .filter(({ isLive }) => isLive === true)
    .map(({ id, durationSec }) => {
      const far = formatElapsed(durationSec * 1000);
      const message = `${id} of the ${word} is still being recorded: what came in its first ${far} is compared`;
      return { name: 'live', level: 'note', message };
    });
}

function reasonOf(findings: ComparedRun['streams'][number]['view']['findings']): string {
  const [first] = findings.filter(({ level }) => level === 'lossy');
  return first === undefined ? '' : ` (${first.message})`;
}

function differenceOf(
  { name, title, level, read }: Fact,
  baseline: readonly ComparedRun[],
  candidate: readonly ComparedRun[],
): readonly GateFinding[] {
  const [from] = distinct(baseline, read);
  const [to] = distinct(candidate, read);
  if (from === to || baseline.length === 0 || candidate.length === 0) return [];
  const isHalfKnown = from === notGiven || to === notGiven;
  // What somebody did not write down is no proof of a difference; work that is not known is none that could be repeated.
  const own = isHalfKnown && name !== 'workload' ? 'note' : level;
  return [{ name, level: own, message: `${title} differs: ${from ?? notGiven} against ${to ?? notGiven}` }];
}

/** As on machines outside the lab, or where one thing after another was run: not a difference, and no proof of none. */
function unnamedWork(baseline: readonly ComparedRun[], candidate: readonly ComparedRun[]): readonly GateFinding[] {
  const runs = [...baseline, ...candidate];
  if (baseline.length === 0 || candidate.length === 0 || runs.some(({ work }) => work !== undefined)) return [];
  const message =
    'neither side is a run of one known workload: counts and times are a second, and tell of the kernels only where the load was the same';
  return [{ name: 'workload', level: 'note', message }];
}

/** Two machines: what else differs between them is not all written down. */
function hostsOf(baseline: readonly ComparedRun[], candidate: readonly ComparedRun[]): readonly GateFinding[] {
  const [from, to] = [baseline, candidate].map((runs) =>
    distinct(runs, ({ identity }) => identity?.hostname).join(', '),
  );
  if (from === to || baseline.length === 0 || candidate.length === 0) return [];
  return [{ name: 'host', level: 'note', message: `machine differs: ${from ?? notGiven} against ${to ?? notGiven}` }];
}

/**
 * Streams that another variant counts on the other side: another era is another function, and may be reached another way;
 * what a probe costs then differs by some 100 ns a call.
 */
function variantsOf(baseline: readonly ComparedRun[], candidate: readonly ComparedRun[]): readonly GateFinding[] {
  const [from, to] = [baseline[0]?.streams ?? [], candidate[0]?.streams ?? []];
  const words = from.flatMap(({ view }) => {
    const other = to.find((one) => one.view.probe === view.probe && one.view.stream === view.stream)?.view;
    if (other === undefined || other.variant === view.variant) return [];
    return [`${view.probe}:${view.stream} ${view.variant} against ${other.variant}`];
  });
  return words.length === 0
    ? []
    : [{ name: 'variants', level: 'note', message: `variants of probes differ: ${words.join(', ')}` }];
}

/** Options of the kernels' configs that differ, of those that are read: checks that are compiled in cost time. */
function configOf(baseline: readonly ComparedRun[], candidate: readonly ComparedRun[]): readonly GateFinding[] {
  const [from, to] = [baseline[0]?.identity?.config, candidate[0]?.identity?.config];
  if (from === undefined || to === undefined) return [];
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  const differing = names.filter((name) => from[name] !== to[name]);
  if (differing.length === 0) return [];
  const words = differing.map((name) => `${name} ${from[name] ?? notGiven} against ${to[name] ?? notGiven}`);
  return [{ name: 'config', level: 'note', message: `kernel configs differ: ${words.join(', ')}` }];
}

/** bpftrace's own appetite disturbs what it measures: told where the sides are far apart. */
function costOf(baseline: readonly ComparedRun[], candidate: readonly ComparedRun[]): readonly GateFinding[] {
  const [from, to] = [baseline, candidate].map((runs) => {
    const shares = runs.map(({ streams }) => streams.reduce((sum, { view }) => sum + (view.bpftraceCpuShare ?? 0), 0));
    return shares.reduce((sum, share) => sum + share, 0) / Math.max(1, shares.length);
  });
  if (from === undefined || to === undefined || Math.abs(from - to) < costShareNoted) return [];
  const message = 'tracing costs differ: bpftrace used much more of a CPU on one side than on the other';
  return [{ name: 'cost', level: 'note', message }];
}

/** A quarter of a CPU apart, on average over the runs. */
const costShareNoted = 0.25;

function emulationOf(runs: readonly ComparedRun[]): readonly GateFinding[] {
  const isEmulated = runs.some(({ accelerator, identity }) => accelerator === 'tcg' || identity?.isEmulated === true);
  if (!isEmulated) return [];
  const message =
    'guests were emulated: counts carry over to real machines, times do not, and ratios of times only roughly';
  return [{ name: 'emulation', level: 'note', message }];
}

function fact(name: string, title: string, read: Fact['read']): Fact {
  return { name, title, level: 'blocking', read };
}

function distinct(runs: readonly ComparedRun[], read: Fact['read']): readonly string[] {
  return [...new Set(runs.map((run) => read(run) ?? notGiven))];
}

function known<T>(value: T | undefined, words: (value: T) => string): string | undefined {
  return value === undefined ? undefined : words(value);
}

function sorted(words: readonly string[]): string {
  return words.toSorted().join(', ');
}
