/** A pprof profile, gzipped: what was counted by kernel stack, and the time that processes spent, where it was summed. */
import { gzipSync } from 'node:zlib';
import {
  Function as PprofFunction,
  Line,
  Location,
  Mapping,
  Profile,
  Sample,
  StringTable,
  ValueType,
} from 'pprof-format';
import type { ExportSource } from './source.ts';
import { countedStacks, countedWords, type WeightedStack } from './weighted-stacks.ts';

/** One mapping for all frames: a kernel's functions by name, which no tool shall look up by address. */
const kernelMapping = 1;

/** Two sample types: events (count) for what has a stack, time (nanoseconds) by process, probe and words for what has not. */
export async function* exportPprof(source: ExportSource): AsyncGenerator<Uint8Array> {
  const { manifest } = source;
  const figures = await source.figures();
  const profile = new ProfileBuilder();
  let hasStacks = false;
  for (const stack of countedStacks(figures)) {
    hasStacks = true;
    profile.add(stack, [stack.value, 0]);
  }
  for (const stack of countedWords(figures, 'time')) profile.add(stack, [0, stack.value]);
  const { release, machine } = manifest.target.identity ?? {};
  const comments = [
    `faultline ${manifest.faultline}, session ${manifest.id}`,
    ...(release === undefined ? [] : [`kernel ${release} ${machine ?? ''}`]),
    ...(manifest.workload === undefined ? [] : [`workload ${manifest.workload}`]),
    ...manifest.notes.map(({ text }) => text),
  ];
  yield gzipSync(profile.encode(hasStacks ? 'events' : 'time', comments, manifest));
}

class ProfileBuilder {
  private readonly strings = new StringTable();
  private readonly functions: PprofFunction[] = [];
  private readonly locations: Location[] = [];
  private readonly samples: Sample[] = [];
  private readonly numbers = new Map<string, number>();

  add({ comm, probe, frames }: WeightedStack, value: number[]): void {
    const labels = { comm, probe };
    this.samples.push(
      Sample.create({
        // A location's frames go from the innermost outwards.
        locationId: frames.map((frame) => this.location(frame)).toReversed(),
        value,
        label: Object.entries(labels).map(([key, text]) => ({
          key: this.strings.dedup(key),
          str: this.strings.dedup(text),
        })),
      }),
    );
  }

  encode(
    mainType: string,
    comments: readonly string[],
    { createdAtMs, lastAtMs }: { readonly createdAtMs: number; readonly lastAtMs: number },
  ): Uint8Array {
    const { strings } = this;
    const valueType = (type: string, unit: string): ValueType =>
      ValueType.create({ type: strings.dedup(type), unit: strings.dedup(unit) });
    const profile = new Profile({
      sampleType: [valueType('events', 'count'), valueType('time', 'nanoseconds')],
      sample: this.samples,
      mapping: [Mapping.create({ id: kernelMapping, filename: strings.dedup('[kernel]'), hasFunctions: true })],
      location: this.locations,
      function: this.functions,
      timeNanos: BigInt(Math.round(createdAtMs)) * 1_000_000n,
      durationNanos: BigInt(Math.max(0, Math.round(lastAtMs - createdAtMs))) * 1_000_000n,
      comment: comments.map((text) => strings.dedup(text)),
      defaultSampleType: strings.dedup(mainType),
      stringTable: strings,
    });
    return profile.encode();
  }

  /** Functions and locations are one to one, by name. */
  private location(name: string): number {
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    const id = this.numbers.size + 1;
    this.numbers.set(name, id);
    const text = this.strings.dedup(name);
    this.functions.push(PprofFunction.create({ id, name: text, systemName: text }));
    this.locations.push(
      Location.create({ id, mappingId: kernelMapping, line: [Line.create({ functionId: id, line: 0 })] }),
    );
    return id;
  }
}
