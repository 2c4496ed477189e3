/** `faultline sessions`: what was recorded, and what a person decides about it. */
import {
  formatBytes,
  formatDuration,
  formatElapsed,
  formatExact,
  formatInstant,
  formatSeconds,
  type Result,
  type SessionManifest,
  type StoreLimits,
} from '@faultline/shared';
import { isLive, Library, type LibraryEntry } from '../sessions/library.ts';
import type { Refusal } from '../sessions/refusal.ts';
import type { SessionEdits } from '../sessions/session-folder.ts';
import { defaultStoreLimits, readBounds } from '../sessions/store-bounds.ts';
import type { SessionWords } from './session-words.ts';
import { complaint, type Terminal } from './terminal.ts';
import { type TextColumn, textTable, wrapText } from '../exports/text-table.ts';

/** Exit statuses of commands about recorded sessions. */
export const sessionStatus = { done: 0, failed: 1 } as const;

type Listing = Extract<
  SessionWords,
  { command: 'list' | 'show' | 'rm' | 'pin' | 'unpin' | 'rename' | 'label' | 'note' | 'mark' }
>;

/** Opens the store of a command that reads; what can't be opened has been said. */
export async function openLibrary(folder: string, terminal: Pick<Terminal, 'err'>): Promise<Library | undefined> {
  const opened = await Library.open(folder);
  if (!opened.ok) {
    terminal.err(complaint(opened.error.message, opened.error.remedy));
    return undefined;
  }
  return opened.value.library;
}

/** Says why not, and gives the exit status. */
export function sayRefusal(refusal: Refusal, terminal: Pick<Terminal, 'err'>): number {
  terminal.err(complaint(refusal.message, refusal.remedy));
  return sessionStatus.failed;
}

/** Carries out one of the commands. */
export async function sessions(words: Listing, terminal: Terminal, nowMs: () => number): Promise<number> {
  const library = await openLibrary(words.store, terminal);
  if (library === undefined) return sessionStatus.failed;
  switch (words.command) {
    case 'list':
      return list(library, words.isJson, terminal);
    case 'show':
      return show(library, words.session, words.isJson, terminal);
    case 'rm':
      return remove(library, words.sessions, words.isJson, terminal);
    case 'pin':
    case 'unpin':
    case 'rename':
    case 'label':
    case 'note':
      return edit(library.edit(words.session, changeOf(words, nowMs)), words.isJson, terminal);
    case 'mark':
      return mark(library, words, terminal, nowMs);
  }
}

type Mark = Extract<Listing, { command: 'mark' }>;
type Edit = Exclude<Extract<Listing, { session: string }>, Mark>;

function changeOf(words: Edit, nowMs: () => number): (before: SessionManifest) => Partial<SessionEdits> {
  switch (words.command) {
    case 'pin':
      return () => ({ isPinned: true });
    case 'unpin':
      return () => ({ isPinned: false });
    case 'rename':
      return () => ({ name: words.text });
    case 'label':
      return () => ({ label: words.text });
    case 'note':
      return ({ notes }) => ({ notes: [...notes, { atMs: nowMs(), text: words.text }] });
    case 'show':
      return () => ({});
  }
}

/** A moment on the time line: of a session that is over, one that lies in it. */
function mark(library: Library, words: Mark, terminal: Terminal, nowMs: () => number): number {
  const found = library.findReadable(words.session);
  if (!found.ok) return sayRefusal(found.error, terminal);
  const { id, createdAtMs, lastAtMs } = found.value.manifest;
  const atMs = words.atMs === undefined ? nowMs() : createdAtMs + words.atMs;
  if (atMs > lastAtMs && !isLive(found.value)) {
    const lasted = formatSeconds(lastAtMs - createdAtMs);
    terminal.err(complaint(`session ${id} is over; it lasted ${lasted}`, 'Say when in it, such as --at 0.5s.'));
    return sessionStatus.failed;
  }
  const added = library.edit(id, ({ marks }) => ({
    marks: [...marks, { atMs, text: words.text }].toSorted((left, right) => left.atMs - right.atMs),
  }));
  return edit(added, words.isJson, terminal);
}

function edit(changed: Result<SessionManifest, Refusal>, isJson: boolean, terminal: Terminal): number {
  if (!changed.ok) return sayRefusal(changed.error, terminal);
  const { id } = changed.value;
  terminal.out(isJson ? `${JSON.stringify(changed.value, undefined, 2)}\n` : `${id} changed\n`);
  return sessionStatus.done;
}

/** Removes them one by one; the first that can't be removed ends it. */
function remove(library: Library, named: readonly string[], isJson: boolean, terminal: Terminal): number {
  const removed: string[] = [];
  for (const word of named) {
    const one = library.remove(word);
    if (!one.ok) return sayRefusal(one.error, terminal);
    removed.push(one.value);
    if (!isJson) terminal.out(`${one.value} removed\n`);
  }
  if (isJson) terminal.out(`${JSON.stringify({ removed })}\n`);
  return sessionStatus.done;
}

/** What a list says of one, for programs. */
function describeEntry(entry: LibraryEntry): object {
  const { id, bytes, manifest, problem } = entry;
  if (manifest === undefined) return { id, bytes, problem };
  const { runs, ...rest } = manifest;
  return { ...rest, bytes, isLive: isLive(entry), runs: runs.map(({ view }) => view) };
}

function list(library: Library, isJson: boolean, terminal: Terminal): number {
  const all = library.list();
  if (isJson) {
    terminal.out(`${JSON.stringify(all.map(describeEntry), undefined, 2)}\n`);
    return sessionStatus.done;
  }
  const written = readBounds(library.folder);
  if (!written.ok) terminal.err(`faultline: ${written.error}; its bounds are not kept\n`);
  const bounds = boundsWords({ ...defaultStoreLimits, ...(written.ok ? written.value : {}) });
  if (all.length === 0) {
    terminal.out(`no session is recorded in ${library.folder}\n${bounds}`);
    return sessionStatus.done;
  }
  const columns: readonly TextColumn[] = [
    { title: 'session', align: 'left' },
    { title: 'begun', align: 'left' },
    { title: 'lasted', align: 'right' },
    { title: 'events', align: 'right' },
    { title: 'lost', align: 'right' },
    { title: 'size', align: 'right' },
    { title: 'what', align: 'left', wraps: true },
  ];
  terminal.out(`${textTable(columns, all.map(rowOf), terminal.width).join('\n')}\n`);
  const bytes = all.reduce((sum, one) => sum + one.bytes, library.removedBytes());
  terminal.out(`\n${formatExact(all.length)} in ${library.folder}, ${formatBytes(bytes)}\n${bounds}`);
  return sessionStatus.done;
}

/** What the store may hold. A server that was started with other bounds keeps to those. */
function boundsWords({ bytesMax, ageMaxMs, sessionBytesMax, sessionAgeMaxMs }: StoreLimits): string {
  const all = `it may hold ${formatBytes(bytesMax)}, each session unless pinned for ${formatDuration(ageMaxMs)}`;
  const one = `one session ${formatBytes(sessionBytesMax)} and ${formatDuration(sessionAgeMaxMs)}`;
  return `${all}; ${one}\n`;
}

function rowOf(entry: LibraryEntry): readonly string[] {
  const { id, bytes, manifest, problem } = entry;
  if (manifest === undefined) return [id, '', '', '', '', formatBytes(bytes), `can't be read: ${problem}`];
  const { createdAtMs, lastAtMs, held, ledger, target, name, label, state, isPinned, stop } = manifest;
  const lost = ledger.lostCount + ledger.missingCount + ledger.malformedCount + ledger.droppedCount;
  const what = [
    ...(name === undefined ? [] : [name]),
    ...(label === undefined ? [] : [label]),
    target.identity?.release ?? target.title,
    ...(isPinned ? ['pinned'] : []),
    ...(state === 'closed' ? [] : [state]),
    ...(stop === undefined ? [] : [`stopped: ${stop.kind}`]),
  ];
  return [
    id,
    formatInstant(createdAtMs),
    formatElapsed(lastAtMs - createdAtMs),
    formatExact(held.callCount + held.eventCount),
    formatExact(lost),
    formatBytes(bytes),
    what.join(' · '),
  ];
}

function show(library: Library, word: string, isJson: boolean, terminal: Terminal): number {
  const found = library.findReadable(word);
  if (!found.ok) return sayRefusal(found.error, terminal);
  if (isJson) {
    terminal.out(`${JSON.stringify(describeEntry(found.value), undefined, 2)}\n`);
    return sessionStatus.done;
  }
  const facts = factsOf(found.value.manifest, found.value.bytes, found.value.folder);
  const columns: readonly TextColumn[] = [
    { title: '', align: 'left' },
    { title: '', align: 'left', wraps: true },
  ];
  terminal.out(`${textTable(columns, facts, terminal.width).join('\n')}\n`);
  const notes = [
    ...found.value.manifest.notes,
    ...found.value.manifest.marks.map((mark) => ({ ...mark, isMark: true })),
  ];
  for (const note of notes) {
    const head = `${formatInstant(note.atMs)}${'isMark' in note ? ' mark' : ''}`;
    terminal.out(
      `\n${head}\n${wrapText(note.text, terminal.width - 2)
        .map((line) => `  ${line}\n`)
        .join('')}`,
    );
  }
  return sessionStatus.done;
}

function factsOf(manifest: SessionManifest, bytes: number, folder: string): readonly (readonly string[])[] {
  const { id, name, label, workload, state, createdAtMs, lastAtMs, target, held, runs, stop, interruption } = manifest;
  const { identity } = target;
  const present = (title: string, value: string | undefined): readonly (readonly string[])[] =>
    value === undefined ? [] : [[title, value]];
  return [
    ['session', id],
    ...present('name', name),
    ...present('label', label),
    ...present('workload', workload),
    ['state', `${state}${manifest.isPinned ? ', pinned' : ''}`],
    ...present('stopped', stop?.message),
    ...present('interrupted', interruption?.message),
    ['begun', `${formatInstant(createdAtMs)}, lasted ${formatElapsed(lastAtMs - createdAtMs)}`],
    ['target', [target.kind, target.title, ...(target.badge === undefined ? [] : [target.badge])].join(' · ')],
    ...present('kernel', identity === undefined ? undefined : `${identity.release} ${identity.machine}`),
    ...present(
      'machine',
      identity === undefined ? undefined : `${identity.hostname}, ${formatExact(identity.cpuCount)} CPUs`,
    ),
    ...runs.map(({ view }) => [
      'run',
      `${view.probe}:${view.stream} · ${view.variant} · ${view.state} · recorded ${formatExact(view.ledger.recordedCount)}`,
    ]),
    [
      'holds',
      `${formatExact(held.tickCount)} ticks, ${formatExact(held.eventCount)} counted events, ${formatExact(held.callCount)} calls`,
    ],
    ['files', `${formatBytes(bytes)} in ${folder}`],
  ];
}
