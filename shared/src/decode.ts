/**
 * Border 1: a line of `bpftrace -f json` becomes a record, or is said to be malformed. Knows 0.17 to 0.27; what the
 * versions print was captured, see probes/DIALECTS.md.
 */
import { err, ok, type Result } from './result.ts';

/** How this version of bpftrace deviates. */
export type Dialect = {
  /** 0.23 escapes a map's key once for itself and once for JSON. */
  readonly hasDoubleEscapedKeys: boolean;
  /** 0.27 drops the blanks of a map's key, so that two names can become one key twice in an object: JSON.parse loses one. */
  readonly hasRepeatedKeys: boolean;
};

/** One decoded line. Values of maps are numbers as printed; `undefined` key: the map has no key. */
export type BpftraceRecord =
  | { readonly kind: 'attached'; readonly probeCount: number }
  | { readonly kind: 'ready'; readonly atNs: number; readonly pid: number | undefined }
  | { readonly kind: 'heartbeat'; readonly atNs: number }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'map'; readonly map: string; readonly entries: readonly (readonly [string | undefined, number])[] }
  /** A map whose values are texts: names of what stands as a number in the keys of other maps. */
  | { readonly kind: 'names'; readonly map: string; readonly names: readonly (readonly [string, string])[] }
  | { readonly kind: 'value'; readonly values: readonly (number | string)[] }
  | { readonly kind: 'lost'; readonly eventCount: number }
  /** A BPF helper failed in the kernel (0.23 and later): for map_update_elem a count was not made. */
  | { readonly kind: 'helper-error'; readonly helper: string; readonly errno: number; readonly message: string };

/** Why a line could not be read: shown to people, with the start of the line. */
export type Malformed = { readonly reason: string; readonly excerpt: string };

/** The dialect of a version such as "0.17.0" or "v0.23.2". Unknown versions are taken for the newest we know. */
export function dialectOf(version: string | undefined): Dialect {
  const minor = Number(/^v?0\.(\d+)/.exec(version ?? '')?.[1] ?? Number.NaN);
  return { hasDoubleEscapedKeys: minor >= 20 && minor < 27, hasRepeatedKeys: !(minor < 27) };
}

/** Decodes one line without its newline. Blank lines (0.17 prints them before the final maps) give undefined. */
export function decodeLine(line: string, dialect: Dialect): Result<BpftraceRecord | undefined, Malformed> {
  if (line.trim() === '') return ok(undefined);
  // 0.17 and 0.23 print this as text even where the output is JSON, if the loss happens while maps are printed.
  const lost = /^Lost (\d{1,15}) events$/.exec(line);
  if (lost?.[1] !== undefined) return ok({ kind: 'lost', eventCount: Number(lost[1]) });
  const parsed = parseObject(line);
  if (parsed === undefined) return malformed('not a JSON object', line);
  const { type, data } = parsed;
  switch (type) {
    case 'printf':
      return typeof data === 'string' ? ok(decodeText(data)) : malformed('printf without a text', line);
    case 'map':
    case 'stats':
      return decodeMap(data, dialect, line);
    case 'value':
      return Array.isArray(data) && data.every(isScalar)
        ? ok({ kind: 'value', values: data })
        : malformed('a value that is not a flat tuple', line);
    case 'attached_probes':
      return ok({ kind: 'attached', probeCount: numberField(data, 'probes') ?? 0 });
    case 'lost_events':
      return ok({ kind: 'lost', eventCount: numberField(data, 'events') ?? 0 });
    case 'helper_error':
      return ok({
        kind: 'helper-error',
        helper: textField(parsed, 'helper'),
        errno: Math.abs(numberField(parsed, 'retcode') ?? 0),
        message: textField(parsed, 'msg'),
      });
    default:
      return malformed(typeof type === 'string' ? `a record of unknown type "${type.slice(0, 40)}"` : 'no type', line);
  }
}

/** A number as bpftrace prints it: bare, or quoted beyond 2^53 (0.27). Not a number: undefined. */
export function decodeNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return Number(value);
  return undefined;
}

function isScalar(value: unknown): value is number | string {
  return typeof value === 'number' || typeof value === 'string';
}

function parseObject(line: string): { readonly type: unknown; readonly data?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'type' in value ? value : undefined;
  } catch {
    return undefined;
  }
}

function numberField(data: unknown, field: string): number | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  return decodeNumber(Object.entries(data).find(([name]) => name === field)?.[1]);
}

function textField(record: object, field: string): string {
  const value: unknown = Object.entries(record).find(([name]) => name === field)?.[1];
  return typeof value === 'string' ? value.slice(0, 200) : '';
}

function decodeText(text: string): BpftraceRecord {
  const beat = /^HB (\d{1,19})\n$/.exec(text);
  if (beat?.[1] !== undefined) return { kind: 'heartbeat', atNs: Number(beat[1]) };
  const ready = /^READY (\d{1,19})(?: (\d{1,10}))?\n$/.exec(text);
  if (ready?.[1] === undefined) return { kind: 'text', text };
  return { kind: 'ready', atNs: Number(ready[1]), pid: ready[2] === undefined ? undefined : Number(ready[2]) };
}

function decodeMap(data: unknown, dialect: Dialect, line: string): Result<BpftraceRecord, Malformed> {
  const [first, ...others] = entriesOf(data);
  if (first === undefined || others.length > 0) return malformed('a map record without exactly one map', line);
  const [map, content] = first;
  const scalar = decodeNumber(content);
  if (scalar !== undefined) return ok({ kind: 'map', map, entries: [[undefined, scalar]] });
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    return malformed(`map ${map} holds neither numbers nor keys`, line);
  }
  const pairs = Object.entries(content);
  if (pairs.length > 0 && pairs.every(([, value]) => typeof value === 'string' && decodeNumber(value) === undefined)) {
    return ok({ kind: 'names', map, names: pairs.map(([key, value]) => [key, restoreBytes(String(value))]) });
  }
  // Keys that become equal are added up: cumulative counts and sums stay exact under the name they share.
  const entries = new Map<string, number>();
  for (const [key, value] of dialect.hasRepeatedKeys ? printedPairs(line) : pairs) {
    const number = decodeNumber(value);
    if (number === undefined) return malformed(`map ${map} holds something else than a number`, line);
    const name = restoreBytes(dialect.hasDoubleEscapedKeys ? unescapeOnce(key) : key);
    entries.set(name, (entries.get(name) ?? 0) + number);
  }
  return ok({ kind: 'map', map, entries: [...entries] });
}

/** The pairs of a map's innermost object as they stand in the line, repeated keys too. The line is valid JSON already. */
function printedPairs(line: string): readonly (readonly [string, unknown])[] {
  const inner = line.slice(line.indexOf('{', line.indexOf('{', 1) + 1) + 1);
  return [...inner.matchAll(/"((?:[^"\\]|\\.)*)": ?("?)([^,}]*)\2[,}]/g)].map(([, key = '', , value = '']) => [
    unescapeOnce(key),
    value,
  ]);
}

const utf8 = new TextDecoder();

/**
 * Undoes what all versions do to a byte from 0x80 on: they print the char sign-extended, so that 0xc3 arrives as U+FFFF and
 * the letters "ffc3". U+FFFF can't stand for itself: its own bytes would have been printed this way.
 */
export function restoreBytes(text: string): string {
  if (!text.includes('\uffff')) return text;
  return text.replace(/(?:\uffffff[89a-f][0-9a-f])+/g, (run) => {
    const bytes = run.match(/[0-9a-f]{2}(?=\uffff|$)/g) ?? [];
    return utf8.decode(Uint8Array.from(bytes, (digits) => Number.parseInt(digits, 16)));
  });
}

/** Undoes the second escaping of 0.23: \" \\ \n … as in JSON. A key that is no valid JSON text stays as it is. */
function unescapeOnce(key: string): string {
  if (!key.includes('\\')) return key;
  try {
    const text: unknown = JSON.parse(`"${key}"`);
    return typeof text === 'string' ? text : key;
  } catch {
    return key;
  }
}

function entriesOf(data: unknown): readonly (readonly [string, unknown])[] {
  return typeof data === 'object' && data !== null ? Object.entries(data) : [];
}

function malformed(reason: string, line: string): Result<never, Malformed> {
  return err({ reason, excerpt: line.slice(0, 120) });
}
