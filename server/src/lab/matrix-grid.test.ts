import { emptyLedger, type SessionManifest, type SessionSetup, type SetupWorkload } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import { fakeRun, fakeTarget } from '../../test/fakes/fake-session.ts';
import { realProbes } from '../../test/fakes/recorded-fault-runs.ts';
import { type GridCell, type GridSession, matrixGrid } from './matrix-grid.ts';
import type { SeriesPlan } from './matrix.ts';
import { faultPathRuns } from './open-guest.ts';

const manifests = (await realProbes()).map(({ manifest }) => manifest);
const streams = faultPathRuns(manifests);
const mib8 = 8 * 1024 ** 2;

type Given = {
  readonly workload?: Partial<SetupWorkload>;
  readonly setup?: Partial<SessionSetup>;
  /** Made by `lab run`, say. */
  readonly isSingle?: true;
  readonly release?: string;
  readonly without?: string;
  readonly isComplete?: boolean;
  readonly manifest?: Partial<SessionManifest>;
};

/** A session as `lab compare` leaves it. */
function run(build: string, number: number, given: Given = {}): GridSession {
  const { workload, setup, isSingle, release = '6.1.0-42-amd64', without, isComplete = true } = given;
  const series = isSingle === true ? {} : { series: 'touch-0123456789ab', runNumber: number };
  const id = `${given.setup?.series ?? 'touch'}-${build.replaceAll('/', '-')}-${String(number)}`;
  return {
    folder: `/store/${id}`,
    manifest: {
      ...{ formatVersion: 2, id, faultline: '0.0.0-test', state: 'closed', createdAtMs: number, lastAtMs: number },
      target: { ...fakeTarget, identity: { ...identityOf(), release } },
      setup: {
        ...{ build, ...series },
        workload: { name: 'touch', arguments: [], barBytes: mib8, isMisaligned: false, repetitions: 1, ...workload },
        ...setup,
      },
      ...{ notes: [], marks: [], isPinned: false, ledger: emptyLedger() },
      runs: runsOf(without, isComplete),
      held: { tickCount: 1, callCount: 0, eventCount: 1, journalBytes: 1 },
      ...given.manifest,
    },
  };
}

function identityOf(): NonNullable<typeof fakeTarget.identity> {
  if (fakeTarget.identity === undefined) throw new Error('the fake target says who it is');
  return fakeTarget.identity;
}

function runsOf(without: string | undefined, isComplete: boolean): SessionManifest['runs'] {
  return streams.flatMap(({ probe, stream: name }, index) => {
    const stream = manifests.find((one) => one.name === probe)?.streams.find((one) => one.name === name);
    if (stream === undefined || probe === without) return [];
    return [{ view: fakeRun(index, { probe, stream: stream.name, isComplete: isComplete || index > 0 }), stream }];
  });
}

function plan(kernels: readonly string[], isMisaligned = false, workload = 'touch'): SeriesPlan {
  return {
    kernels,
    workload: { workload, barBytes: mib8, isMisaligned, repetitions: 1, threads: undefined },
    runCount: 3,
  };
}

/** The cell of 6.1, touch of 8 MiB, three runs wanted. */
function cellOf(...sessions: readonly GridSession[]): GridCell {
  const cell = matrixGrid([plan(['6.1', '6.12'])], sessions, streams)[0]?.cells[0];
  if (cell === undefined) throw new Error('there is a cell');
  return cell;
}

const idsOf = ({ runs }: GridCell): readonly string[] => runs.map(({ manifest }) => manifest.id);

describe('a matrix of what is recorded', () => {
  it('has a cell for every kernel of every plan, empty where nothing is recorded', () => {
    const plans = [plan(['6.1', '6.12']), plan(['6.1', '6.12'], true), plan(['6.1', '6.12'], false, 'dma-map')];
    const grid = matrixGrid(plans, [], streams);
    expect(grid.map((row) => row.cells.map(({ kernel }) => kernel))).toEqual(plans.map(() => ['6.1', '6.12']));
    expect(grid[2]?.cells[1]).toEqual({ kernel: '6.12', runs: [], runCount: 0, word: undefined, notes: [] });
  });

  it('counts the runs of a series in their order, and selects them by it', () => {
    const cell = cellOf(run('6.1', 3), run('6.1', 1));
    expect(idsOf(cell)).toEqual(['touch-6.1-1', 'touch-6.1-3']);
    expect(cell).toMatchObject({ runCount: 2, word: 'build:6.1,series:touch-0123456789ab', notes: [] });
  });

  it.each([
    ['misaligned', '6.1', { workload: { isMisaligned: true } }],
    ['another size', '6.1', { workload: { barBytes: 2 * mib8 } }],
    ['another workload', '6.1', { workload: { name: 'zap' } }],
    ['several repetitions', '6.1', { workload: { repetitions: 2 } }],
    ['threads', '6.1', { workload: { threads: 2 } }],
    ['a build of a module of this kernel', '6.1-v1', {}],
    ['another kernel of the same release', '/src/linux', {}],
    ['still recorded', '6.1', { manifest: { state: 'live' as const } }],
  ])('has no run and no remark of what is %s', (_, build, given) => {
    expect(cellOf(run(build, 1, given))).toMatchObject({ runs: [], runCount: 0, notes: [] });
  });

  it.each<readonly [string, Given, RegExp]>([
    ['of no series', { isSingle: true }, /^1 run is not counted: of no series/],
    ['named apart', { setup: { series: 'nightly-0123456789ab' } }, /^1 run is not counted: kept apart under a name/],
    ['traced otherwise', { without: 'pfn-insert' }, /^1 run is not counted: other probes/],
  ])('leaves out a run that is %s, and says so', (_, given, why) => {
    const cell = cellOf(run('6.1', 1), run('6.1', 2, given));
    expect(idsOf(cell)).toEqual(['touch-6.1-1']);
    expect(cell.notes).toEqual([expect.stringMatching(why)]);
    expect(cell.word).toBe('build:6.1,series:touch-0123456789ab');
  });

  it.each<readonly [string, Given, RegExp]>([
    [
      'module',
      { setup: { module: '6.1, vfio_pci_core, abc' } },
      /another build of its module: 6\.1, vfio_pci_core, abc$/,
    ],
    ['kernel', { release: '6.1.0-41-amd64' }, /another kernel under this name: 6\.1\.0-41-amd64/],
    ['anything else', {}, /of other contents/],
  ])('takes the newest of several series, and says of the others that their %s was another', (_, given, why) => {
    const old = { ...given, setup: { series: 'touch-ffffffffffff', ...given.setup }, manifest: { createdAtMs: 0 } };
    const cell = cellOf(run('6.1', 1, old), run('6.1', 2, old), run('6.1', 1));
    expect(idsOf(cell)).toEqual(['touch-6.1-1']);
    expect(cell.notes).toEqual([expect.stringMatching(/^2 runs are not counted: /)]);
    expect(cell.notes[0]).toMatch(why);
    // The very same, were they newer.
    const turned = cellOf(run('6.1', 1, { ...old, manifest: { createdAtMs: 9 } }), run('6.1', 1));
    expect(idsOf(turned)).toEqual(['touch-ffffffffffff-6.1-1']);
  });

  it('counts an incomplete run, since the command would not make it again, and says how to', () => {
    const cell = cellOf(run('6.1', 1), run('6.1', 2, { isComplete: false }));
    expect(cell.runCount).toBe(2);
    expect(cell.notes).toEqual([
      'run 2 is incomplete: vfio-fault:faults lost events. Remove it (faultline sessions rm touch-6.1-2), and the command makes it again',
    ]);
  });

  it('tells of a run whose recording stopped, in one line', () => {
    const stop = { kind: 'disk-full', message: 'the disk\nis full', atMs: 1 } as const;
    expect(cellOf(run('6.1', 1, { manifest: { stop } })).notes).toEqual([
      expect.stringContaining('run 1 is incomplete: the disk is full'),
    ]);
  });

  it('selects by ids what the series does not mean alone: more runs than wanted, one that broke off', () => {
    const cell = cellOf(
      ...[1, 2, 3, 4].map((number) => run('6.1', number)),
      run('6.1', 5, { manifest: { state: 'interrupted' } }),
    );
    expect(cell).toMatchObject({ runCount: 3, word: 'touch-6.1-1,touch-6.1-2,touch-6.1-3' });
    expect(cell.notes.map((note) => note.slice(0, 16))).toEqual(['1 run is left ou', '1 run broke off:']);
    const folder = matrixGrid([plan(['/a,b', '6.1'])], [run('/a,b', 1)], streams)[0]?.cells[0];
    expect(folder?.word).toBe('touch--a,b-1');
  });

  it('counts a number that is there twice once, and says so', () => {
    const again = run('6.1', 1);
    const copy = { folder: '/store/copy', manifest: { ...again.manifest, id: 'copy' } };
    const cell = cellOf(again, copy);
    expect([cell.runCount, cell.runs.length]).toEqual([1, 2]);
    expect(cell.notes).toEqual(['run 1 is there twice: touch-6.1-1 and copy']);
  });

  it('bounds its remarks', () => {
    const lossy = Array.from({ length: 3 }, (_, at) => run('6.1', at + 1, { isComplete: false }));
    const older = ['a', 'b', 'c', 'd'].map((digit) =>
      run('6.1', 1, { setup: { series: `touch-${digit.repeat(12)}` }, manifest: { createdAtMs: 0 } }),
    );
    const { notes } = cellOf(...lossy, ...older);
    expect(notes).toHaveLength(6);
    expect(notes.at(-1)).toBe('and 2 more such remarks');
  });
});
