/** Every bound of Faultline, each with why it has this value; numbers (measured) come from docs/decisions or a probe's README. */

/** How often a .bt script prints its maps, ms. Part of every script; 4 Hz is what a chart can show calmly. */
export const heartbeatIntervalMs = 250;

/** No heartbeat for this long and the run has failed as stalled, ms. Twenty missed heartbeats: full load delays some. */
export const heartbeatSilenceMaxMs = 20 * heartbeatIntervalMs;

/** READY must come within this, ms. 0.3 s on a host (measured), 40 s under emulation with bpftrace 0.27 (measured). */
export const readyWaitMaxMs = 60_000;

/** Between the first SIGINT and the second, ms: bpftrace 0.17 ignores one that comes right after READY (measured). */
export const stopRepeatAfterMs = 500;

/** From the first SIGINT to SIGKILL, ms. Detaching 20 probes takes 1.5 s (measured). */
export const stopKillAfterMs = 5_000;

/** After SIGKILL this long a process counts as one that cannot be ended, ms: a hung kernel holds it. Others take 1 s. */
export const killedWaitMaxMs = 10_000;

/** How long a stop waits for lines to catch up with what the kernel says it emitted, ms, before the first SIGINT. */
export const stopCatchUpMaxMs = 1_000;

/** So long after bpftrace has exited or was killed its pipes are let go, ms: a grandchild may hold them open. */
export const pipeCloseMaxMs = 1_000;

/** The longest line we keep, bytes: a map of 16,384 keys prints about 0.7 MB in one line (measured). */
export const lineBytesMax = 4 * 1024 * 1024;

/** What stdout may deliver, bytes a second, before lines are dropped undecoded: ten times what bpftrace can print. */
export const stdoutBytesPerSecMax = 128 * 1024 * 1024;

/** Seconds of flooding in a row after which the run is stopped as failed. */
export const floodSecMax = 3;

/** How much of stderr a run keeps, characters: the first lines name the cause. */
export const stderrCharsMax = 16_384;

/** Keys of one bpftrace map; handed to bpftrace by environment. A process name is at most 16 bytes, few are in use. */
export const mapKeysMax = 16_384;

/** From this share of mapKeysMax on a map is a finding in the ledger: beyond it bpftrace 0.17 loses counts silently. */
export const mapKeysWarnShare = 0.9;

/** Distinct (metric, key) cells one run may have: four full maps. */
export const runCellsMax = 65_536;

/** Distinct texts (process names, stacks) in one run's detail: what a column of 16 bits can tell apart. */
export const runTextsMax = 65_536;

/** Findings one run keeps; the rest is counted. */
export const runFindingsMax = 50;

/** Calls (detail events) one run keeps in memory for those who come later. */
export const runCallsMax = 20_000;

/** Calls that may wait for the next tick before the oldest are dropped (and counted). Two seconds of what bpftrace prints. */
export const tickCallsMax = 200_000;

/** How often the session closes a tick and the hub sends it, ms. 10 Hz at most: the eye and React need no more. */
export const tickIntervalMs = 100;

/** Ticks that a session keeps: ten minutes at 10 Hz. */
export const sessionTicksMax = 6_000;

/** Cells that all kept ticks may hold together: 12 bytes each, so 96 MB at the very most. */
export const sessionTickCellsMax = 8_000_000;

/** History that a late joiner receives, ms. */
export const joinHistoryMs = 120_000;

/** Frames sent to one client and not yet acknowledged; beyond it the client gets coalesced frames. */
export const clientFramesInFlightMax = 4;

/** Calls one coalesced frame may carry; the rest is dropped for this client, counted and told. */
export const clientCallsPerFrameMax = 20_000;

/** Clients of the live hub at a time. */
export const clientsMax = 64;

/** Between two snapshots for one client, ms: each costs the server milliseconds, and a client may ask again and again. */
export const clientSnapshotIntervalMinMs = 1_000;

/** A connection of the socket that has not said which session it wants is closed after this, ms. */
export const clientHelloMaxMs = 5_000;

/** Ports tried one after the other from the default one when none was asked for. */
export const portsTriedMax = 20;

/** Runs on one target at a time: each is a root process with kernel programs. */
export const runsPerTargetMax = 8;

/** Runs (also ended ones) that one session remembers. */
export const runsPerSessionMax = 64;

/** Body of an HTTP request, bytes: commands are small. */
export const httpBodyBytesMax = 64 * 1024;

/** A message from a browser on the socket, bytes: acknowledgements only. */
export const socketMessageBytesMax = 4 * 1024;

/** A file read from a target, bytes: available_filter_functions and kallsyms are the largest, about 15 MB. */
export const targetFileBytesMax = 32 * 1024 * 1024;

/** A command run on a target for an answer (a version, a check), ms: a busy emulated guest took over ten seconds to say its bpftrace's version. */
export const targetCommandMaxMs = 30_000;

/** How long the browser keeps ticks, ms: the largest window it offers. */
export const browserHistoryMs = 600_000;

/** Calls the browser keeps for its table. */
export const browserCallsMax = 20_000;

/** A program the lab runs to its end (apt, gcc, mke2fs), ms: the longest is a download of 140 MB on a slow line. */
export const labCommandMaxMs = 900_000;

/** Package lists of the lab's own older than this are fetched again, ms: kernels appear monthly, and old files vanish. */
export const aptListsAgeMaxMs = 24 * 3_600_000;

/** Lines of a failed build that are quoted: a compiler's error with its place and caret takes four, make's own three. */
export const moduleBuildLinesMax = 24;

/** Complaints read from a guest's console: a broken page table brings thousands of the same. */
export const oopsesMax = 100;

/** Heartbeats that a guest is given after an oops: an emulated one that writes to its console is seconds late with them. */
export const oopsHeartbeats = 12;

/** Of them, said in one message: the first is the cause, those behind it mostly follow from it. */
export const oopsesShownMax = 3;

/** An unpacked kernel, bytes: 70 MB today; a debug build may be ten times that. */
export const vmlinuxBytesMax = 1024 * 1024 * 1024;

/** QEMU must have connected its channels within this, ms: it does so in 0.1 s on an idle machine. */
export const labConnectMaxMs = 20_000;

/** A guest's agent must have come within this after a cold boot, ms: 3 to 5 s under emulation, on a busy machine 40 s. */
export const labBootMaxMs = 120_000;

/** The trial whether QEMU can start a CPU with KVM, ms: 0.2 s where it can. */
export const kvmTrialMaxMs = 10_000;

/** With KVM a guest's agent must have come within this, ms; 1 to 2 s where KVM is what it says. Then it is emulated. */
export const kvmBootMaxMs = 20_000;

/** A guest's memory, MiB: bpftrace takes about 100 MiB of it a process, most of it shared. */
export const guestMemoryMib = 512;

/** What is kept of a guest's console, characters: a panic with its stack is about 5,000. */
export const consoleCharsMax = 256 * 1024;

/** A frame from a guest's agent, bytes: it sends at most 64 KiB of a pipe, or 4 MiB of a held one. */
export const agentFrameBytesMax = 16 * 1024 * 1024;

/** A guest's agent must answer a question within this, ms: an emulated CPU under full load has been slow for seconds. */
export const agentAnswerMaxMs = 30_000;

/** QEMU must answer a command within this, ms. */
export const qmpAnswerMaxMs = 30_000;

/** A line of QEMU's control channel, characters. */
export const qmpLineCharsMax = 256 * 1024;

/** Room that must be free before a snapshot is written, bytes: a guest's memory, most of it in use. */
export const snapshotBytesMax = 640 * 1024 * 1024;

/** A snapshot must be written within this, ms: 1 s for 300 MB on an idle machine. */
export const snapshotWaitMaxMs = 60_000;

/** How often QEMU is asked whether the snapshot is whole, ms. */
export const snapshotPollMs = 25;

/** A CPU of a guest stuck for so long never comes back, s (seen while probes attached); a busy machine held one up half as long. */
export const guestHungSec = 60;

/** How often is looked whether the probes of a guest are attached, ms. */
export const attachPollMs = 20;

/** A workload in a lab guest may take this long, ms: 250,000 order-0 faults under emulation take about 10 s. */
export const workloadMaxMs = 600_000;

/** Lines of a workload that are kept: it prints one a repetition. */
export const workloadLinesMax = 10_000;

/** Lines of a workload that GET /lab shows: it is asked every second, and the last line has the sums. */
export const workloadLinesShownMax = 50;

/** Repetitions of a workload that may be asked for: as many lines as are kept. */
export const workloadRepetitionsMax = 10_000;

/** Threads a workload may be given: what vfio-load has room for. */
export const workloadThreadsMax = 64;

/** A page of the lab's guests, bytes: all are x86-64. */
export const labPageBytes = 4096;

/** A line of a workload, characters. */
export const workloadLineCharsMax = 16_384;

/** A guest that is removed is ended after this, whatever its probes do, ms: they detach in 2 s, 5 if busy (measured). */
export const guestRemoveMaxMs = 15_000;

/** A command that keeps a guest must have ended within this after `lab stop`, ms: it closes its counts first. */
export const guestStopMaxMs = 30_000;

/** How often is looked whether it has, ms. */
export const guestStopPollMs = 100;

/** The smallest BAR of the lab's device, bytes: smaller ones are less than the 2 MiB of a huge fault, or nearly. */
export const barBytesMin = 1024 * 1024;

/** The largest, bytes: what the root port's window holds. */
export const barBytesMax = 4 * 1024 ** 3;

/** Targets of one server: this host, guests of the lab, machines over ssh. */
export const targetsMax = 16;

/** What a target can do is looked at again after this, ms: modules come and go, but not while five streams start. */
export const capabilitiesAgeMaxMs = 5_000;

/** A destination of ssh, characters: names of hosts have at most 253. */
export const sshDestinationCharsMax = 255;

/** A connection by ssh must be there within this, ms: ten seconds to connect, five to agree on keys. */
export const sshConnectMaxMs = 15_000;

/** How often ssh asks for a sign of life, s; after sshAliveCountMax unanswered ones the peer is dead: within 9 s. */
export const sshAliveIntervalSec = 3;

/** Signs of life that may stay away. */
export const sshAliveCountMax = 2;

/** What runs there is ended when it has heard nothing from here for this long, s: longer than we wait for the peer. */
export const sshLeaseSec = 20;

/** How often that is renewed, ms: four times in its length, since a loaded machine is late. */
export const sshRenewIntervalMs = 5_000;

/** Commands at a time in one connection: sshd's MaxSessions is 10, and the connection's own is one. */
export const sshSessionsMax = 9;

/** A file read or written over ssh, s: the 15 MB of the longest list take 12 s at 10 Mbit/s. */
export const sshFileMaxSec = 60;

/** A question about a file over ssh must be answered within this, ms: the shell there gives up after sshFileMaxSec, or it hangs. */
export const sshAnswerMaxMs = 90_000;

/** How long a connection may take to close in order, ms: it removes its folder there; then it is cut. */
export const sshCloseMaxMs = 3_000;

/** What ssh says on standard error when it fails, characters: the last line is the reason. */
export const sshMessageCharsMax = 4_096;

/** Guests of one server: each takes its memory and, emulated, two CPUs. */
export const labMachinesMax = 4;

/** Workload runs that a server remembers. */
export const labWorkloadRunsMax = 50;

/** Devices of a target that are listed: a machine has at most some dozens bound to vfio-pci. */
export const targetDevicesMax = 256;

/** A recorded session, bytes, unless told otherwise: some 300 hours of counts, or two hours of 5,000 calls a second. */
export const sessionBytesMax = 1024 ** 3;

/** A recorded session's length, ms, unless told otherwise: a server that is forgotten shall not fill a disk for months. */
export const sessionAgeMaxMs = 7 * 24 * 3_600_000;

/** All recorded sessions of a store, bytes, unless told otherwise: what a laptop can spare unasked. */
export const storeBytesMax = 10 * 1024 ** 3;

/** How long a session that nobody pinned is kept, ms, unless told otherwise. */
export const storeAgeMaxMs = 30 * 24 * 3_600_000;

/** How often a server looks whether its store keeps to these bounds, ms. */
export const storePruneIntervalMs = 60_000;

/** Sessions of one store: a list of them must stay readable, and each costs reading one small file. */
export const storeSessionsMax = 10_000;

/** Kept free for writing down how a session ended when the disk is full, bytes: a manifest of 64 runs has 200 KiB. */
export const storeReserveBytes = 256 * 1024;

/** How often a journal is pushed to the disk itself, ms; the kernel has it after each tick. */
export const journalSyncIntervalMs = 1_000;

/** How often ledgers of running probes are written down, ms. */
export const journalViewsIntervalMs = 1_000;

/** How often a live session's manifest is written anew, ms, besides at each change of a run's state. */
export const journalManifestIntervalMs = 10_000;

/** What may wait to be written, bytes, before a disk counts as too slow: the largest tick three times. */
export const journalPendingBytesMax = 64 * 1024 * 1024;

/** A line of a journal, bytes: a tick of tickCallsMax calls has about 20 MB. */
export const journalLineBytesMax = 64 * 1024 * 1024;

/** A session's manifest, bytes: 64 runs with their findings have less than 1 MB. */
export const sessionManifestBytesMax = 8 * 1024 * 1024;

/** From the end of a guest's socket until it is called gone without a reason, ms: its process ends right after. */
export const agentReasonWaitMs = 2_000;

/** An imported session, unpacked, bytes: four times what one may have unless told otherwise. */
export const importBytesMax = 4 * 1024 ** 3;

/** Ticks of a recorded session that a page gets, merged where there are more: ten minutes as they were; twice what a wide screen has px. */
export const recordedTicksMax = 6_000;

/** Cells that these ticks may hold together: 12 bytes each, so 24 MB to send and to keep in a page. */
export const recordedCellsMax = 2_000_000;

/** Calls of a run that a page gets with a recorded session, the newest: about 5 MB of 12 columns. */
export const recordedCallsMax = 100_000;

/** A session whose faults are counted for the list of sessions, bytes: reading it takes about a second and a half. */
export const recordingFactsBytesMax = 64 * 1024 ** 2;

/** Rows of one group of a Parquet file: what an export holds in memory, about 20 MB of 30 columns. */
export const exportRowGroupMax = 10_000;

/** Consoles of guests that ended badly, the oldest going first: 256 KiB each at most. */
export const consolesKeptMax = 20;

/** Kept of what guests start from, the least recently used going first: snapshots of 300 to 400 MB (2 kernels × 2 sizes × 2 sets, 7 of `lab thread`), initramfs of 8 MB (14 kernels, with patches and versions before), disks with bpftrace of 230 MB (three versions of it, twice). */
export const labKeptMax = { snapshots: 15, initramfs: 40, tools: 6 } as const;

/** Tracks of one thread and stream in a Perfetto trace, for calls that overlap; more at a time are drawn as instants. */
export const exportLanesMax = 16;

/** What is taken of an export before its answer begins, bytes: its length is known then, or can be told from what was read. */
export const exportHeadBytes = 256 * 1024;

/** After a workload has ended its last counts must have come within this, ms: a heartbeat, on a busy emulated machine seconds. */
export const compareSettleMaxMs = 30_000;

/** How often is looked whether they have, ms. */
export const comparePollMs = 20;

/** Runs of each kernel that one series may have: an hour at a second each. */
export const compareSeriesRunsMax = 1_000;

/** A file such as lab/matrix.toml, bytes: the longest matrix there can be, all axes full, has 15 kB. */
export const matrixBytesMax = 64 * 1024;

/** Sentences about runs that are not counted in one cell of a matrix: a person reads no more, and the rest is counted. */
export const matrixNotesMax = 6;

/** Filters of one query of calls: more than a person sets, few enough to plan at once. */
export const callsFiltersMax = 16;

/** Rows of one answer to a query of calls: some screens of a table, about 200 KB of JSON. */
export const callsRowsMax = 1_000;

/** Rows of an answer where no number was asked for. */
export const callsRowsDefault = 100;

/** Bins of one answer about a counter: what a wide screen has px. */
export const countersBinsMax = 2_000;

/** Bins where no width was asked for: what a chart shows well. */
export const countersBinsDefault = 300;

/** Series of one answer about a counter: more than a chart can tell apart, about 1 MB with all bins. */
export const countersGroupsMax = 100;

/** Series where no number was asked for. */
export const countersGroupsDefault = 10;

/** Memory that queries may take, bytes: a million calls sorted by a column take less than half (measured). */
export const queryMemoryBytesMax = 512 * 1024 ** 2;

/** A query may take this long, ms: fifty times what one over a million calls takes. */
export const queryMaxMs = 10_000;

/** Queries that may wait for each other: a page asks some at a time. */
export const queriesWaitingMax = 64;

/** Rows of one group of the tables made of a closed session: what their maker holds in memory, some 10 MB a table. */
export const derivedRowGroupMax = 100_000;

/** A totals.json, bytes: a run of 65,536 cells with stacks has about 40 MB. A larger one is not used, the journal is. */
export const sessionTotalsBytesMax = 256 * 1024 ** 2;

/** Memory of the thread that makes them, MiB: three times what the largest ticks take. */
export const derivingMemoryMib = 512;

/** How long a closing program waits for them, ms: a million calls take 3 s. What is not made is made when it is wanted. */
export const derivingWaitMaxMs = 15_000;

/** What is read of a CSV at a time, bytes: its parser holds all rows of a piece. An import of 112 MB takes 220 MiB, and with pieces of 256 KiB up to 370 (measured). */
export const csvChunkBytes = 16 * 1024;

/** How long a session removed by the page or by HTTP can be restored, ms: a mistake is noticed at once. */
export const removedKeptMs = 10 * 60_000;

/** Imports by HTTP at a time: each may write importBytesMax and keeps one CPU busy. */
export const importsAtATimeMax = 2;
