/** Words of the command line as values: durations, ports, streams, parameters. Each error says what is wanted. */
import { InvalidArgumentError } from 'commander';
import { err, ok, type ProbeManifest, type Result, type StartRun, streamsMeantBy } from '@faultline/shared';

/** The exit status of wrong words. */
export const usageStatus = 2;

/** What went wrong with the command line. */
export type UsageError = { readonly message: string; readonly remedy: string };

const msOf: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** The longest recording: one day. A session's memory is bounded anyway; this catches typing errors. */
const durationMaxMs = 24 * 3_600_000;

/** Commander's way of refusing an argument: its message, then ours. */
export function argumentOf<T>(parse: (text: string) => Result<T, UsageError>): (text: string) => T {
  return (text) => {
    const parsed = parse(text);
    if (parsed.ok) return parsed.value;
    const { message, remedy } = parsed.error;
    throw new InvalidArgumentError(`${message.charAt(0).toUpperCase()}${message.slice(1)}. ${remedy}`);
  };
}

/** `500ms`, `10s`, `1.5m`, `2h` in milliseconds. */
export function parseDuration(text: string): Result<number, UsageError> {
  const match = /^(?<amount>[0-9]{1,9}(?:\.[0-9]{1,3})?)(?<unit>ms|s|m|h)$/.exec(text)?.groups;
  const ms = Math.round(Number(match?.['amount']) * (msOf[match?.['unit'] ?? ''] ?? Number.NaN));
  if (ms >= 1 && ms <= durationMaxMs) return ok(ms);
  return err({
    message: `${JSON.stringify(text)} is not a duration`,
    remedy: 'Give one such as 500ms, 10s, 2m; at most 24h.',
  });
}

/** A TCP port. */
export function parsePort(text: string): Result<number, UsageError> {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= 0 && port <= 65_535) return ok(port);
  return err({
    message: `${JSON.stringify(text)} is not a port`,
    remedy: 'Give a number from 1 to 65535, or 0 for any free one.',
  });
}

/** A name or a label of a session: one line of at most 120 characters. */
export function parseName(text: string): Result<string, UsageError> {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (text.length >= 1 && text.length <= 120 && !/[\u0000-\u001f\u007f]/.test(text)) return ok(text);
  return err({
    message: `${JSON.stringify(text.slice(0, 200))} is no name`,
    remedy: 'Give one line of 1 to 120 characters.',
  });
}

/** Words before bpftrace: split at blanks, never a shell's business. */
export function parsePrefix(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** What to start, from the probes there are. */
export type StreamChoice = {
  readonly targetId: string;
  /** `mmap-lock,page-fault:latency`; a probe without a stream: see streamsMeantBy. Undefined: the default streams of all. */
  readonly probes: string | undefined;
  /** `mmap-lock.pid=123` or `mmap-lock:slow.pid=123`. */
  readonly parameters: readonly string[];
};

/** The runs to start, in the order of the command line; each parameter must fit at least one of them. */
export function chooseStreams(
  choice: StreamChoice,
  manifests: readonly ProbeManifest[],
): Result<readonly StartRun[], UsageError> {
  const unasked = defaultStreams('', manifests).map(({ probe, stream }) => `${probe}:${stream}`);
  const names = choice.probes?.split(',') ?? unasked;
  const streams: StreamName[] = [];
  for (const name of names) {
    const chosen = streamsOf(name.trim(), manifests);
    if (!chosen.ok) return chosen;
    for (const one of chosen.value) if (!streams.some((known) => isSame(known, one))) streams.push(one);
  }
  const values = new Map<StreamName, Record<string, number>>();
  for (const text of choice.parameters) {
    const parameter = parseParameter(text, streams, manifests);
    if (!parameter.ok) return parameter;
    const { targets, name, value } = parameter.value;
    for (const stream of targets) values.set(stream, { ...values.get(stream), [name]: value });
  }
  return ok(
    streams.map((one) => {
      const parameters = values.get(one);
      return { targetId: choice.targetId, ...one, ...(parameters === undefined ? {} : { parameters }) };
    }),
  );
}

/** The default streams of probes: what runs when nobody chose. */
export function defaultStreams(targetId: string, manifests: readonly ProbeManifest[]): readonly StartRun[] {
  return manifests.flatMap(({ name, streams }) =>
    streams.filter(({ isDefault }) => isDefault).map((stream) => ({ targetId, probe: name, stream: stream.name })),
  );
}

type StreamName = { readonly probe: string; readonly stream: string };

function isSame(left: StreamName, right: StreamName): boolean {
  return left.probe === right.probe && left.stream === right.stream;
}

function streamsOf(text: string, manifests: readonly ProbeManifest[]): Result<readonly StreamName[], UsageError> {
  const [probe = '', stream, ...rest] = text.split(':');
  const manifest = manifests.find(({ name }) => name === probe);
  if (manifest === undefined || rest.length > 0) {
    const known = manifests.map(({ name }) => name).join(', ');
    return err({ message: `there is no probe ${JSON.stringify(text)}`, remedy: `The probes here: ${known}.` });
  }
  if (stream === undefined) return ok(streamsMeantBy(manifest).map((one) => ({ probe, stream: one.name })));
  if (manifest.streams.some(({ name }) => name === stream)) return ok([{ probe, stream }]);
  const known = manifest.streams.map(({ name }) => `${probe}:${name}`).join(', ');
  return err({ message: `probe ${probe} has no stream ${JSON.stringify(stream)}`, remedy: `Its streams: ${known}.` });
}

type ParameterValue = { readonly targets: readonly StreamName[]; readonly name: string; readonly value: number };

function parseParameter(
  text: string,
  streams: readonly StreamName[],
  manifests: readonly ProbeManifest[],
): Result<ParameterValue, UsageError> {
  const match = /^(?<probe>[a-z0-9-]+)(?::(?<stream>[a-z0-9-]+))?\.(?<name>[a-zA-Z0-9]+)=(?<value>[0-9]{1,16})$/.exec(
    text,
  )?.groups;
  const { probe, stream, name = '' } = match ?? {};
  const value = Number(match?.['value']);
  if (probe === undefined || !Number.isSafeInteger(value)) {
    const remedy = 'Give PROBE.NAME=NUMBER or PROBE:STREAM.NAME=NUMBER, such as mmap-lock.pid=123.';
    return err({ message: `${JSON.stringify(text)} is not a parameter`, remedy });
  }
  const named = streams.filter((one) => one.probe === probe && (stream === undefined || one.stream === stream));
  if (named.length === 0) {
    const remedy = `Add it to --probes; chosen are ${streams.map((one) => `${one.probe}:${one.stream}`).join(', ')}.`;
    return err({ message: `the parameter ${text} is for a stream that is not chosen`, remedy });
  }
  const targets = named.filter((one) => parametersOf(one, manifests).includes(name));
  if (targets.length > 0) return ok({ targets, name, value });
  const known = [...new Set(named.flatMap((one) => parametersOf(one, manifests)))];
  const remedy = known.length === 0 ? 'It has none.' : `It has: ${known.join(', ')}.`;
  return err({ message: `${text.split('.')[0]} has no parameter ${JSON.stringify(name)}`, remedy });
}

function parametersOf({ probe, stream }: StreamName, manifests: readonly ProbeManifest[]): readonly string[] {
  const manifest = manifests.find(({ name }) => name === probe);
  return manifest?.streams.find(({ name }) => name === stream)?.parameters.map(({ name }) => name) ?? [];
}
