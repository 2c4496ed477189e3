/** What the feed can play. */
import type { PathLoad } from './fault-path-load.ts';
import type { Load } from './synthesis.ts';

/** A guest of the lab that is there from the start, with a session of its own. */
export type GuestScenario = {
  readonly id: string;
  readonly release: string;
  /** What happens on its fault path; absent where its locks are looked at. */
  readonly path?: PathLoad;
  readonly load?: Load;
  readonly pastMs?: number;
  readonly running: readonly string[];
  readonly failed?: readonly string[];
  readonly isLossy?: boolean;
  /** Why it is gone: its runs have failed with it. */
  readonly problem?: string;
};

/** One situation of the page. */
export type Scenario = {
  readonly load: Load;
  readonly callsPerSec: number;
  /** Streams that run from the start, as probe/stream. */
  readonly running: readonly string[];
  readonly failed: readonly string[];
  readonly isLossy: boolean;
  readonly isReplay: boolean;
  readonly canTrace: boolean;
  /** Milliseconds of the past that exist when the feed begins. */
  readonly pastMs: number;
  /** Set in a guest: what happens on its fault path. */
  readonly path?: PathLoad;
  readonly guests?: readonly GuestScenario[];
  /** There is a lab, and the probes of the fault path are there. */
  readonly hasLab?: boolean;
  /** Its checks say that it can't be traced, though it is: a check ran into its limit. */
  readonly isCheckedLate?: boolean;
};

const daemons = ['systemd', 'sshd', 'cron'];
const crowd = Array.from({ length: 50 }, (_, index) =>
  index < 8
    ? (['mmap-load', 'postgres', 'java', 'qemu-system-x86', 'nginx', 'node', 'rustc', 'cc1plus'][index] ?? '')
    : `worker/${index}`,
);

const idle: Scenario = {
  load: { processes: daemons, acquisitionsPerSec: 40, writeShare: 0.2, faultsPerSec: 15 },
  callsPerSec: 0.5,
  running: ['mmap-lock/latency', 'mmap-lock/detail', 'page-fault/entries'],
  failed: [],
  isLossy: false,
  isReplay: false,
  canTrace: true,
  pastMs: 40_000,
};

const busy: Scenario = {
  ...idle,
  load: { processes: crowd, acquisitionsPerSec: 1_000_000, writeShare: 0.08, faultsPerSec: 60_000 },
  callsPerSec: 5000,
  running: [...idle.running, 'page-fault/handled'],
  pastMs: 125_000,
};

const pathStreams = ['vfio-fault/faults', 'dma-map/path', 'lock-assert/checks'];
const guestA: GuestScenario = {
  id: 'lab-6.1-5c1e',
  release: '6.1.0-56-amd64',
  path: { era: 'a', faultsPerSec: 3 },
  running: [...pathStreams, 'pfn-remap/calls'],
};
const guestD: GuestScenario = {
  id: 'lab-6.12-07af',
  release: '6.12.107+deb12-amd64',
  path: { era: 'd', faultsPerSec: 4000 },
  running: [...pathStreams, 'pfn-insert/inserts'],
};
const lockGuest: GuestScenario = {
  id: 'lab-6.12-10c5',
  release: '6.12.107+deb12-amd64',
  load: { processes: ['vfio-load', 'init'], acquisitionsPerSec: 30_000, writeShare: 0.3, faultsPerSec: 900 },
  pastMs: 25_000,
  running: idle.running,
};
/** What a guest of the lab runs once it is up. */
export function bootedGuest(kernel: string): GuestScenario {
  return kernel === '6.1' ? guestA : guestD;
}

const inGuests: Scenario = { ...idle, running: [], hasLab: true };

/** Text that must stay text. */
export const hostileNames = [
  '<img src=x onerror=alert(1)>',
  '"><script>window.hacked=1</script>',
  '\u202Egnp.exe',
  'a\tb\nc',
  "'; DROP TABLE--",
  '{{7*7}}${7*7}',
  '&lt;b&gt;',
];

/** By name. */
export const scenarios = {
  idle,
  busy,
  lossy: { ...busy, isLossy: true },
  failed: { ...busy, running: ['page-fault/entries'], failed: ['mmap-lock/latency', 'mmap-lock/detail'] },
  replay: { ...idle, isReplay: true, load: { ...idle.load, acquisitionsPerSec: 20_000 } },
  quiet: { ...idle, load: { ...idle.load, acquisitionsPerSec: 0, faultsPerSec: 0 }, callsPerSec: 0 },
  empty: { ...idle, running: [] },
  untraceable: { ...idle, running: [], canTrace: false },
  hostile: { ...idle, load: { ...idle.load, processes: hostileNames, acquisitionsPerSec: 5000 }, callsPerSec: 20 },
  lab: inGuests,
  'era-a': { ...inGuests, guests: [guestA], isCheckedLate: true },
  'era-d': { ...inGuests, guests: [guestD] },
  'path-quiet': { ...inGuests, guests: [{ ...guestA, path: { era: 'a', faultsPerSec: 0 } }] },
  'path-lossy': { ...inGuests, guests: [{ ...guestA, isLossy: true }] },
  'path-failed': { ...inGuests, guests: [{ ...guestA, running: ['dma-map/path'], failed: ['vfio-fault/faults'] }] },
  targets: {
    ...idle,
    hasLab: true,
    guests: [guestA, guestD, { ...guestA, id: 'lab-6.1-dead', problem: 'QEMU has ended (signal SIGKILL).' }],
  },
  /** A host and a guest with the same probes, and neither begin, load nor losses in common. */
  beside: {
    ...idle,
    hasLab: true,
    guests: [{ ...lockGuest, isLossy: true }],
  },
  /** The same under full load on both sides. */
  'beside-busy': { ...busy, hasLab: true, guests: [{ ...lockGuest, load: busy.load, running: busy.running }] },
} satisfies Record<string, Scenario>;

/** A scenario's name. */
export type ScenarioName = keyof typeof scenarios;
