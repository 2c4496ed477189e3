import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPerfetto } from '../../test/fakes/perfetto-schema.ts';
import { type FaultRun, realProbes, recordFaultRun } from '../../test/fakes/recorded-fault-runs.ts';
import { openTempStore, type TempStore } from '../../test/fakes/temp-store.ts';
import { SavedComparisons } from '../sessions/saved-comparisons.ts';
import { compare } from './compare.ts';
import { readCommandLine } from './program.ts';

let temp: TempStore;
const probes = await realProbes();

beforeEach(async () => {
  temp = await openTempStore();
});

afterEach(() => temp[Symbol.asyncDispose]());

/** Five runs of a kernel, some per cent apart. */
async function record(
  kernel: string,
  more: Partial<FaultRun> = {},
  times = [1, 1.02, 0.98, 1.01, 0.99],
): Promise<void> {
  const own =
    kernel === '6.1'
      ? { faults: 1, faultNs: 40_000_000, violations: 1 }
      : { faults: 32, faultNs: 500_000, violations: 0 };
  for (const [at, time] of times.entries()) {
    const run = { kernel, number: at + 1, ...own, ...more };
    await recordFaultRun(temp, probes, { ...run, faultNs: Math.round(run.faultNs * time) });
  }
}

async function run(line: string): Promise<{ readonly status: number; readonly out: string; readonly err: string }> {
  let out = '';
  let err = '';
  const terminal = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    isErrTty: false,
    errColumns: 80,
    width: 100,
  };
  const words = [...line.split(' '), '--store', temp.folder];
  // Options stand before the sides.
  const request = readCommandLine(['compare', '--store', temp.folder, ...words.slice(1, -2)], {}, terminal, '1');
  const status = request.kind === 'compare' ? await compare(request.words, terminal) : 2;
  return { status, out, err };
}

/** The id of the only saved comparison. */
function savedId(): string {
  const [entry] = new SavedComparisons(temp.folder).list();
  if (entry === undefined) throw new Error('it was saved');
  return entry.id;
}

describe('faultline compare', () => {
  it('says what the thread asked, in 72 columns: improved, status 0', async () => {
    await record('6.1');
    await record('6.12');
    const { status, out } = await run('compare build:6.1 -- build:6.12');
    expect(out.replaceAll(/\s+/g, ' ')).toContain(
      '6.12 against 6.1: improved. It takes 32 faults where 6.1 took 1, spends 0.4 × [0.391–0.409] the time in them and never breaks the lock assertion, which 6.1 does (1 a run).',
    );
    expect(out).toContain('6.1 (6.1.0-test): 5 runs, era A, touch of 64 MiB, emulated');
    expect(out).toMatch(/Faults +1 +32 +1 → 32 +regressed/);
    expect(out).toMatch(/Violations of the.*\n.*1 +0 +1 → 0 +improved|Violations of.* 1 +0 +1 → 0 +improved/);
    expect(Math.max(...out.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(72);
    expect(status).toBe(0);
  });

  it('ends with 1 where the candidate is worse, and where it breaks what the baseline keeps', async () => {
    await record('6.1');
    await record('6.12');
    const { status, out } = await run('compare build:6.12 -- build:6.1');
    expect(status).toBe(1);
    expect(out.replaceAll(/\s+/g, ' ')).toContain('6.1 against 6.12: regressed.');
    expect(out).toContain('none in the baseline, some in 5 of 5');
  });

  it('ends with 0 for a kernel against itself, with 3 for two runs far apart, telling how many are wanted', async () => {
    await record('a');
    await record('b');
    await record('c', {}, [1.08, 1.18]);
    expect((await run('compare --metric faultTime build:a -- build:b')).status).toBe(0);
    const few = await run('compare --metric faultTime build:a -- build:c');
    expect(few.status).toBe(3);
    expect(few.out.replaceAll(/\s+/g, ' ')).toMatch(/About [0-9]+ runs a side would probably decide it/);
  });

  it('keeps to 72 columns where an interval of two times has no room', async () => {
    await record('a');
    await record('b', { faultNs: 0 });
    const { out } = await run('compare --metric faultTime build:a -- build:b');
    expect(out).toMatch(/Time in faults \* +16 ms +0 ns +−16 ms +improved/);
    expect(Math.max(...out.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(72);
  });

  it.each<[string, Partial<FaultRun>, string]>([
    ['another BAR', { barBytes: 128 * 1024 ** 2 }, 'size of the BAR differs: 64 MiB against 128 MiB'],
    ['another THP mode', { identity: { thpMode: 'never' } }, 'transparent huge pages differs: always against never'],
    ['another bpftrace', { identity: { bpftraceVersion: '0.23.2' } }, 'bpftrace differs: 0.17.0 against 0.23.2'],
    ['a lossy run', { isComplete: false }, 'is incomplete: vfio-fault:faults'],
  ])('is stopped at the gate by %s: status 2, and why', async (_, more, why) => {
    await record('6.1');
    await record('6.12', more);
    const { status, out } = await run('compare build:6.1 -- build:6.12');
    expect(status).toBe(2);
    expect(out.replaceAll(/\s+/g, ' ')).toContain('not comparable, since');
    expect(out.replaceAll(/\s+/g, ' ')).toContain(why);
  });

  it('finds sessions by id, by several conditions and by folder, and many candidates', async () => {
    await record('6.1');
    await record('6.12');
    const folder = join(temp.folder, '6.12-1');
    expect((await run(`compare 6.1-1 6.1-2 -- ${folder} 6.12-2`)).out).toContain('6.12 (6.12.0-test): 2 runs');
    const both = await run('compare build:6.1,workload:touch,series:made-up -- build:6.12 -- 6.1-1 6.1-2');
    expect(both.out).toContain('6.12 against 6.1 (baseline): improved');
    expect(both.out).toContain('6.1 (candidate 2) against 6.1 (baseline)');
  });

  it.each([
    ['compare build:6.1', 'there are no two sides'],
    ['compare build:6.1 -- build:5.4', 'is build:5.4'],
    ['compare build:6.1 -- colour:red', 'colour:red'],
    ['compare 6.1-1 -- nowhere', 'nowhere'],
    ['compare 6.1-1 -- /nowhere', 'no recorded session in /nowhere'],
    ['compare --metric speed 6.1-1 -- 6.1-2', 'There is no metric'],
    ['compare --margin 0 6.1-1 -- 6.1-2', 'is no margin'],
  ])('refuses %s with status 2 and a word about it', async (line, why) => {
    await record('6.1');
    const { status, err } = await run(line);
    expect(status).toBe(2);
    expect(err).toContain(why);
  });

  it('prints JSON, Markdown, CSV and lines for benchstat', async () => {
    await record('6.1');
    await record('6.12');
    const sides = 'build:6.1 -- build:6.12';
    const json: unknown = JSON.parse((await run(`compare --json ${sides}`)).out);
    expect(json).toMatchObject({
      comparisonVersion: 1,
      verdict: 'improved',
      candidates: [{ title: '6.12', runCount: 5 }],
    });
    const markdown = (await run(`compare --format markdown ${sides}`)).out;
    expect(markdown).toContain('| metric | 6.1 | 6.12 | change | p (Holm) | p (permutation) | verdict |');
    expect(markdown).toContain('| Faults | 1 | 32 | 1 → 32 |  |  | regressed |');
    const csv = (await run(`compare --format csv ${sides}`)).out.split('\r\n');
    expect(csv[1]).toBe('6.1,6.12,faults,count,false,1,32,exact,31,,,,,,regressed,');
    const bench = (await run(`compare --format benchstat ${sides}`)).out.split('\n');
    expect(bench[0]).toBe('build: 6.1');
    expect(bench[1]).toMatch(/^BenchmarkTouch 1 1 faults 1 attempts .* 40000000 faultTime-ns /);
    expect(bench.filter((line) => line.startsWith('Benchmark'))).toHaveLength(10);
  });

  it('saves it under a name, with what it was judged by, where all sessions are of the store', async () => {
    await record('6.1');
    await record('6.12');
    const { status, err, out } = await run('compare --save thread --metric faults --margin 5 build:6.1 -- build:6.12');
    expect(status).toBe(1);
    expect(out).toContain('6.12 against 6.1: regressed');
    const [entry] = new SavedComparisons(temp.folder).list();
    if (entry === undefined || !('saved' in entry)) throw new Error('it was saved');
    expect(err).toContain(`?page=compare&saved=${entry.id}`);
    expect(entry.saved).toMatchObject({ name: 'thread', metrics: ['faults'], marginShare: 0.05 });
    expect(entry.saved.sides.map(({ title, sessions }) => [title, sessions.length])).toEqual([
      ['6.1', 5],
      ['6.12', 5],
    ]);
  });

  it('opens a saved comparison by its id or name: the same report and status, judged as it was saved unless told otherwise', async () => {
    await record('6.1', {}, [1, 1.02]);
    await record('6.12', {}, [1, 1.02]);
    const sides = 'build:6.12 -- build:6.1';
    const first = await run(`compare --save thread --metric violations --margin 5 ${sides}`);
    const id = savedId();
    new SavedComparisons(temp.folder).annotate(id, { atMs: 0, text: 'era A\nagainst D' });
    const opened = await run(`compare --saved ${id}`);
    expect([opened.status, opened.out]).toEqual([1, first.out]);
    expect(opened.err).toMatch(new RegExp(`^thread \\(${id}\\), saved .*\n  .*: era A\n  against D\n$`));
    const named = await run('compare --saved thread --metric faultTime --margin 90 --json');
    const { comparison } = {
      comparison: JSON.parse(named.out) as { thresholds: object; candidates: { metrics: object[] }[] },
    };
    expect(comparison.thresholds).toMatchObject({ marginShare: 0.9 });
    expect(comparison.candidates[0]?.metrics).toMatchObject([{ metric: { id: 'faultTime' } }]);
    // More runs of these builds are none of it.
    await record('6.12', { faults: 99 }, [1]);
    expect((await run(`compare --saved ${id}`)).out).toBe(first.out);
  });

  it('says of a saved comparison what is gone, and lists them', async () => {
    await record('6.1', {}, [1, 1.02]);
    await record('6.12', {}, [1, 1.02]);
    expect((await run('compare --list')).out).toContain('nothing is saved yet');
    await run('compare --save thread build:6.1 -- build:6.12');
    const id = savedId();
    const [gone = ''] = temp.store.library
      .list()
      .flatMap(({ id: own, manifest }) => (manifest?.setup?.build === '6.12' ? [own] : []));
    temp.store.library.remove(gone);
    const opened = await run(`compare --saved ${id}`);
    expect(opened.out.replaceAll(/\s+/g, ' ')).toContain(`saved comparison: ${gone} is no longer in the store`);
    const listed = await run('compare --list');
    expect([listed.status, listed.err]).toEqual([0, '']);
    expect(listed.out).toMatch(new RegExp(`^${id} .* thread +6\\.12 against 6\\.1; 1 session missing$`, 'm'));
    const entries = JSON.parse((await run('compare --list --json')).out) as object[];
    expect(entries).toMatchObject([{ id, name: 'thread', sides: [{ title: '6.1' }, { title: '6.12' }] }]);
  });

  it('refuses a saved comparison that there is not, or is not the only one of its name, with 2', async () => {
    await record('6.1', {}, [1, 1.02]);
    await record('6.12', {}, [1, 1.02]);
    await run('compare --save twice build:6.1 -- build:6.12');
    await run('compare --save twice build:6.1 -- build:6.12');
    const none = await run('compare --saved 0123456789ab');
    expect([none.status, none.out]).toEqual([2, '']);
    expect(none.err).toContain('there is no saved comparison "0123456789ab"');
    expect(none.err).toContain('faultline compare --list');
    expect((await run('compare --saved ../../etc/passwd')).status).toBe(2);
    const twice = await run('compare --saved twice');
    expect([twice.status, twice.err]).toEqual([2, expect.stringContaining('2 saved comparisons are called "twice"')]);
  });

  it.each(['--saved a b -- c', '--saved a --save b', '--list --saved a', '--list a -- b'])(
    'does not understand compare %s',
    async (words) => {
      const { status, err } = await run(`compare ${words}`);
      expect([status, err]).toEqual([2, expect.stringContaining('has its own sides')]);
    },
  );

  it('writes the runs of all sides as a Perfetto trace, and over no file', async () => {
    await record('6.1');
    await record('6.12');
    const file = join(temp.folder, 'both.pftrace');
    const line = `compare --metric violations --perfetto ${file} build:6.1 -- build:6.12`;
    expect((await run(line)).status).toBe(0);
    const packets = readPerfetto(await readFile(file));
    expect(packets.filter(({ process }) => process !== undefined)).toHaveLength(10);
    const again = await run(line);
    expect([again.status, again.err]).toEqual([2, expect.stringContaining('was not written')]);
  });

  it('lets no name out of a file steer the terminal or begin a line', async () => {
    await record('6.1', { identity: { thpMode: 'al\u001b[2Jways\nBenchmarkEvil 1 1 ns' } });
    await record('6.12');
    const { out } = await run('compare build:6.1 -- build:6.12');
    expect(out).not.toContain('\u001b');
    expect(out).not.toMatch(/^BenchmarkEvil/m);
  });
});
