/**
 * Packets of a Perfetto trace, in protobuf. The field numbers are those of perfetto/protos/perfetto/trace/*.proto; each is
 * named here once. A file of them is a message `Trace` whose field 1 is repeated.
 */
import { PbfWriter } from 'pbf';

const trace = { packet: 1 } as const;
const packet = {
  clockSnapshot: 6,
  timestamp: 8,
  sequence: 10,
  trackEvent: 11,
  interned: 12,
  sequenceFlags: 13,
  previousDropped: 42,
  trackDescriptor: 60,
} as const;
const event = {
  annotations: 4,
  type: 9,
  nameIid: 10,
  trackUuid: 11,
  categoryIids: 3,
  doubleCounter: 44,
  callstackIid: 56,
} as const;
const track = { uuid: 1, name: 2, process: 3, thread: 4, parent: 5, counter: 8 } as const;
const annotation = { nameIid: 1, double: 5, text: 6, integer: 4 } as const;
const interned = { categories: 1, names: 2, annotationNames: 3, functionNames: 5, frames: 6, callstacks: 7 } as const;
/** SEQ_INCREMENTAL_STATE_CLEARED and SEQ_NEEDS_INCREMENTAL_STATE. */
const flag = { cleared: 1, needed: 2 } as const;
const eventType = { sliceBegin: 1, sliceEnd: 2, instant: 3, counter: 4 } as const;
const clockId = { realtime: 1, boottime: 6 } as const;
/** Frame.Kind: KIND_KERNEL. */
const kernelFrame = 2;

/** What a track stands for. */
export type TrackFacts = {
  readonly uuid: number;
  readonly parent?: number;
  readonly name?: string;
  readonly process?: { readonly pid: number; readonly name: string };
  readonly thread?: { readonly pid: number; readonly tid: number; readonly name: string };
  readonly isCounter?: boolean;
};

/** What an event says beside its time and track. */
export type EventFacts = {
  readonly name: string;
  readonly category: string;
  readonly args?: Readonly<Record<string, string | number>>;
  /** Outermost first. */
  readonly frames?: readonly string[];
};

/** Values by their number, which is never another's; `sent` are those a reader knows now, `fresh` go with the next packet. */
type Values = {
  readonly iids: Map<string, number>;
  readonly sent: Set<number>;
  readonly fresh: (readonly [iid: number, value: string])[];
};
type Writing = (writer: PbfWriter) => void;

/** The bytes of all sequences. Whoever takes them sets how much is held. */
export class PerfettoBytes {
  private readonly writer = new PbfWriter();

  get size(): number {
    return this.writer.pos;
  }

  packet(write: Writing): void {
    this.writer.writeMessage(trace.packet, (_, inside) => write(inside), undefined);
  }

  take(): Uint8Array {
    const piece = this.writer.buf.slice(0, this.writer.pos);
    this.writer.pos = 0;
    return piece;
  }
}

/**
 * One sequence of packets: names, frames and stacks are sent once and then meant by number. A loss makes readers forget
 * them, so they are sent again after one.
 */
export class PacketSequence {
  private readonly bytes: PerfettoBytes;
  private readonly id: number;
  private readonly zeroNs: number;
  private readonly tables = {
    categories: valuesOf(),
    names: valuesOf(),
    annotationNames: valuesOf(),
    functionNames: valuesOf(),
    callstacks: valuesOf(),
  };
  private isCleared = true;
  private isLossy = false;

  /** Numbers of sequences begin at 1. Times are written from `zeroNs` on; what lies before it stands at it. */
  constructor(bytes: PerfettoBytes, id: number, zeroNs: number = 0) {
    this.bytes = bytes;
    this.id = id;
    this.zeroNs = zeroNs;
  }

  /** The kernel's clock beside the wall clock at one moment, ns. */
  clocks(boottimeNs: number, realtimeNs: number): void {
    this.write(undefined, (inside) => {
      inside.writeMessage(packet.clockSnapshot, writeClocks, [boottimeNs, realtimeNs] as const);
    });
  }

  track(facts: TrackFacts): void {
    this.write(undefined, (inside) => inside.writeMessage(packet.trackDescriptor, writeTrack, facts));
  }

  instant(atNs: number, uuid: number, facts: EventFacts): void {
    this.event(atNs, uuid, eventType.instant, facts);
  }

  sliceBegin(atNs: number, uuid: number, facts: EventFacts): void {
    this.event(atNs, uuid, eventType.sliceBegin, facts);
  }

  sliceEnd(atNs: number, uuid: number): void {
    this.write(atNs, (inside) => {
      inside.writeMessage(
        packet.trackEvent,
        (_, within) => writeEventHead(within, eventType.sliceEnd, uuid),
        undefined,
      );
    });
  }

  counter(atNs: number, uuid: number, value: number): void {
    this.write(atNs, (inside) => {
      inside.writeMessage(
        packet.trackEvent,
        (_, within) => {
          writeEventHead(within, eventType.counter, uuid);
          within.writeTag(event.doubleCounter, 1);
          within.writeDouble(value);
        },
        undefined,
      );
    });
  }

  /** The next packet says that events before it were lost. */
  lose(): void {
    this.isLossy = true;
    this.isCleared = true;
    for (const table of Object.values(this.tables)) table.sent.clear();
  }

  private event(atNs: number, uuid: number, type: number, facts: EventFacts): void {
    const name = this.number('names', facts.name);
    const category = this.number('categories', facts.category);
    const args = Object.entries(facts.args ?? {}).map(
      ([key, value]) => [this.number('annotationNames', key), value] as const,
    );
    const stack = facts.frames === undefined || facts.frames.length === 0 ? undefined : this.stackNumber(facts.frames);
    this.write(atNs, (inside) => {
      inside.writeMessage(
        packet.trackEvent,
        (_, within) => {
          writeNumber(within, event.categoryIids, category);
          for (const arg of args) within.writeMessage(event.annotations, writeAnnotation, arg);
          writeEventHead(within, type, uuid);
          writeNumber(within, event.nameIid, name);
          if (stack !== undefined) writeNumber(within, event.callstackIid, stack);
        },
        undefined,
      );
    });
  }

  private stackNumber(frames: readonly string[]): number {
    for (const frame of frames) this.number('functionNames', frame);
    return this.number('callstacks', frames.join(';'));
  }

  private number(table: keyof typeof this.tables, value: string): number {
    const { iids, sent, fresh } = this.tables[table];
    const iid = iids.get(value) ?? iids.size + 1;
    if (sent.has(iid)) return iid;
    iids.set(value, iid);
    sent.add(iid);
    fresh.push([iid, value]);
    return iid;
  }

  private write(atNs: number | undefined, content: Writing): void {
    this.bytes.packet((inside) => {
      if (atNs !== undefined) writeNumber(inside, packet.timestamp, Math.max(0, atNs - this.zeroNs));
      content(inside);
      writeNumber(inside, packet.sequence, this.id);
      this.writeInterned(inside);
      writeNumber(inside, packet.sequenceFlags, this.isCleared ? flag.cleared | flag.needed : flag.needed);
      if (this.isLossy) writeNumber(inside, packet.previousDropped, 1);
    });
    this.isCleared = false;
    this.isLossy = false;
  }

  private writeInterned(inside: PbfWriter): void {
    const { categories, names, annotationNames, functionNames, callstacks } = this.tables;
    const named = [
      [interned.categories, categories.fresh.splice(0)],
      [interned.names, names.fresh.splice(0)],
      [interned.annotationNames, annotationNames.fresh.splice(0)],
      [interned.functionNames, functionNames.fresh.splice(0)],
    ] as const;
    const stacks = callstacks.fresh.splice(0);
    if (stacks.length === 0 && named.every(([, fresh]) => fresh.length === 0)) return;
    inside.writeMessage(
      packet.interned,
      (_, within) => {
        for (const [field, fresh] of named) for (const one of fresh) within.writeMessage(field, writeNamed, one);
        // A function is one frame: there are no addresses, so its number is that of its name.
        for (const [iid] of named[3][1]) within.writeMessage(interned.frames, writeFrame, iid);
        for (const [iid, value] of stacks)
          within.writeMessage(
            interned.callstacks,
            (_none, deep) => {
              writeNumber(deep, 1, iid);
              for (const frame of value.split(';')) writeNumber(deep, 2, functionNames.iids.get(frame) ?? 0);
            },
            undefined,
          );
      },
      undefined,
    );
  }
}

function valuesOf(): Values {
  return { iids: new Map(), sent: new Set(), fresh: [] };
}

/** A varint. Whatever a file says, it is written as a number that the field can hold. */
function writeNumber(writer: PbfWriter, field: number, value: number): void {
  writer.writeTag(field, 0);
  writer.writeVarint(value > 0 ? Math.min(Math.round(value), varintMax) : 0);
}

/** The largest double below 2^63. */
const varintMax = 2 ** 63 - 1024;

function writeText(writer: PbfWriter, field: number, value: string): void {
  writer.writeTag(field, 2);
  writer.writeString(value);
}

function writeNamed([iid, value]: readonly [number, string], writer: PbfWriter): void {
  writeNumber(writer, 1, iid);
  writeText(writer, 2, value);
}

function writeFrame(iid: number, writer: PbfWriter): void {
  writeNumber(writer, 1, iid);
  writeNumber(writer, 2, iid);
  writeNumber(writer, 7, kernelFrame);
}

function writeEventHead(writer: PbfWriter, type: number, uuid: number): void {
  writeNumber(writer, event.type, type);
  writeNumber(writer, event.trackUuid, uuid);
}

function writeAnnotation([nameIid, value]: readonly [number, string | number], writer: PbfWriter): void {
  writeNumber(writer, annotation.nameIid, nameIid);
  if (typeof value === 'string') writeText(writer, annotation.text, value);
  else if (Number.isSafeInteger(value)) {
    writer.writeTag(annotation.integer, 0);
    writer.writeVarint(value);
  } else {
    writer.writeTag(annotation.double, 1);
    writer.writeDouble(value);
  }
}

function writeClocks([boottimeNs, realtimeNs]: readonly [number, number], writer: PbfWriter): void {
  for (const [id, ns] of [
    [clockId.boottime, boottimeNs],
    // Beyond 2^53 a double steps by 256 ns, which the ms of the wall clock are far from.
    [clockId.realtime, realtimeNs],
  ] as const)
    writer.writeMessage(
      1,
      (_, inside) => {
        writeNumber(inside, 1, id);
        writeNumber(inside, 2, ns);
      },
      undefined,
    );
  writeNumber(writer, 2, clockId.boottime);
}

function writeTrack({ uuid, parent, name, process, thread, isCounter }: TrackFacts, writer: PbfWriter): void {
  writeNumber(writer, track.uuid, uuid);
  if (name !== undefined) writeText(writer, track.name, name);
  if (process !== undefined)
    writer.writeMessage(
      track.process,
      (_, inside) => {
        writeNumber(inside, 1, process.pid);
        writeText(inside, 6, process.name);
      },
      undefined,
    );
  if (thread !== undefined)
    writer.writeMessage(
      track.thread,
      (_, inside) => {
        writeNumber(inside, 1, thread.pid);
        writeNumber(inside, 2, thread.tid);
        writeText(inside, 5, thread.name);
      },
      undefined,
    );
  if (parent !== undefined) writeNumber(writer, track.parent, parent);
  // An empty descriptor is enough to be a counter.
  if (isCounter === true) writer.writeMessage(track.counter, () => {}, undefined);
}
