/**
 * Reads Perfetto traces in tests. No package at hand ships the official schema, so this is the part of it that we write,
 * by the names and numbers of protos/perfetto/trace in google/perfetto, looked up there in November 2026.
 */
import { ensure } from '@faultline/shared';
import protobuf from 'protobufjs';

const schema = `
syntax = "proto2";
package perfetto.protos;
message Trace { repeated TracePacket packet = 1; }
message TracePacket {
  optional uint64 timestamp = 8;
  optional uint32 timestamp_clock_id = 58;
  optional ClockSnapshot clock_snapshot = 6;
  optional TrackEvent track_event = 11;
  optional TrackDescriptor track_descriptor = 60;
  optional uint32 trusted_packet_sequence_id = 10;
  optional InternedData interned_data = 12;
  optional uint32 sequence_flags = 13;
  optional uint32 previous_packet_dropped = 42;
}
message ClockSnapshot {
  message Clock { optional uint32 clock_id = 1; optional uint64 timestamp = 2; }
  repeated Clock clocks = 1;
  optional uint32 primary_trace_clock = 2;
}
message TrackEvent {
  enum Type { TYPE_UNSPECIFIED = 0; TYPE_SLICE_BEGIN = 1; TYPE_SLICE_END = 2; TYPE_INSTANT = 3; TYPE_COUNTER = 4; }
  repeated uint64 category_iids = 3;
  repeated DebugAnnotation debug_annotations = 4;
  optional Type type = 9;
  optional uint64 name_iid = 10;
  optional uint64 track_uuid = 11;
  optional double double_counter_value = 44;
  optional uint64 callstack_iid = 56;
}
message DebugAnnotation {
  optional uint64 name_iid = 1;
  optional int64 int_value = 4;
  optional double double_value = 5;
  optional string string_value = 6;
}
message TrackDescriptor {
  optional uint64 uuid = 1;
  optional string name = 2;
  optional ProcessDescriptor process = 3;
  optional ThreadDescriptor thread = 4;
  optional uint64 parent_uuid = 5;
  optional CounterDescriptor counter = 8;
}
message ProcessDescriptor { optional int32 pid = 1; optional string process_name = 6; }
message ThreadDescriptor { optional int32 pid = 1; optional int32 tid = 2; optional string thread_name = 5; }
message CounterDescriptor { }
message EventCategory { optional uint64 iid = 1; optional string name = 2; }
message EventName { optional uint64 iid = 1; optional string name = 2; }
message DebugAnnotationName { optional uint64 iid = 1; optional string name = 2; }
message InternedString { optional uint64 iid = 1; optional bytes str = 2; }
message Frame {
  enum Kind { KIND_UNKNOWN = 0; KIND_NATIVE = 1; KIND_KERNEL = 2; }
  optional uint64 iid = 1;
  optional uint64 function_name_id = 2;
  optional Kind kind = 7;
}
message Callstack { optional uint64 iid = 1; repeated uint64 frame_ids = 2; }
message InternedData {
  repeated EventCategory event_categories = 1;
  repeated EventName event_names = 2;
  repeated DebugAnnotationName debug_annotation_names = 3;
  repeated InternedString function_names = 5;
  repeated Frame frames = 6;
  repeated Callstack callstacks = 7;
}
`;

const traceType = protobuf.parse(schema, { keepCase: true }).root.lookupType('perfetto.protos.Trace');

type Packet = {
  readonly timestamp?: number;
  readonly clock_snapshot?: { readonly clocks: readonly { readonly clock_id: number; readonly timestamp: number }[] };
  readonly track_event?: {
    readonly category_iids?: readonly number[];
    readonly debug_annotations?: readonly {
      readonly name_iid: number;
      readonly int_value?: number;
      readonly double_value?: number;
      readonly string_value?: string;
    }[];
    readonly type: string;
    readonly name_iid?: number;
    readonly track_uuid: number;
    readonly double_counter_value?: number;
    readonly callstack_iid?: number;
  };
  readonly track_descriptor?: {
    readonly uuid: number;
    readonly name?: string;
    readonly process?: { readonly pid: number; readonly process_name: string };
    readonly thread?: { readonly pid: number; readonly tid: number; readonly thread_name: string };
    readonly parent_uuid?: number;
    readonly counter?: object;
  };
  readonly trusted_packet_sequence_id: number;
  readonly interned_data?: Readonly<Record<string, readonly Named[]>>;
  readonly sequence_flags: number;
  readonly previous_packet_dropped?: number;
};
type Named = {
  readonly iid: number;
  readonly name?: string;
  readonly str?: string;
  readonly frame_ids?: number[];
  readonly function_name_id?: number;
};

/** A packet with what its numbers mean, as its reader knows them at that point. */
export type ReadPacket = {
  readonly sequence: number;
  readonly atNs?: number;
  readonly clocks?: Readonly<Record<string, number>>;
  /** A track that is described here. */
  readonly track?: object;
  readonly event?: string;
  readonly on?: string;
  readonly name?: string;
  readonly category?: string;
  readonly value?: number;
  readonly args?: Readonly<Record<string, string | number | undefined>>;
  /** Outermost first. */
  readonly frames?: readonly string[];
  readonly isAfterLoss?: true;
  /** The number of the track that is described here, and the process that it stands for. */
  readonly uuid?: number;
  readonly process?: { readonly pid: number; readonly process_name: string };
};

/** Decodes a file as a reader does: numbers are looked up among what their sequence sent since it was last cleared. */
export function readPerfetto(bytes: Uint8Array): readonly ReadPacket[] {
  const { packet: packets = [] } = traceType.toObject(traceType.decode(bytes), {
    longs: Number,
    enums: String,
    bytes: String,
  }) as { readonly packet?: readonly Packet[] };
  const tables = new Map<number, Map<string, Named>>();
  const names = new Map<number, string>();
  return packets.map((packet) => {
    const sequence = packet.trusted_packet_sequence_id;
    if ((packet.sequence_flags & 1) === 1) tables.set(sequence, new Map());
    const table = ensure(tables.get(sequence), `sequence ${sequence} was cleared before it was used`);
    for (const [kind, all] of Object.entries(packet.interned_data ?? {}))
      for (const one of all) table.set(`${kind} ${one.iid}`, one);
    const named = (kind: string, iid: number): Named => ensure(table.get(`${kind} ${iid}`), `${kind} ${iid} was sent`);
    return readPacket(packet, named, names);
  });
}

function readPacket(
  packet: Packet,
  named: (kind: string, iid: number) => Named,
  names: Map<number, string>,
): ReadPacket {
  const { track_event: event, track_descriptor: track, clock_snapshot: clocks } = packet;
  if (track !== undefined) names.set(track.uuid, nameOf(track, names));
  const frameName = (iid: number): string => {
    const name = named('function_names', named('frames', iid).function_name_id ?? 0).str ?? '';
    return Buffer.from(name, 'base64').toString();
  };
  return {
    sequence: packet.trusted_packet_sequence_id,
    ...(packet.previous_packet_dropped === 1 ? { isAfterLoss: true } : {}),
    ...(packet.timestamp === undefined ? {} : { atNs: packet.timestamp }),
    ...(clocks === undefined
      ? {}
      : { clocks: Object.fromEntries(clocks.clocks.map((one) => [String(one.clock_id), one.timestamp])) }),
    ...(track === undefined
      ? {}
      : { track: { name: names.get(track.uuid), ...(track.counter === undefined ? {} : { isCounter: true }) } }),
    ...(track === undefined ? {} : { uuid: track.uuid }),
    ...(track?.process === undefined ? {} : { process: track.process }),
    ...(event === undefined
      ? {}
      : {
          event: event.type.replace('TYPE_', '').toLowerCase(),
          on: ensure(names.get(event.track_uuid), 'the track was described before'),
          ...(event.name_iid === undefined ? {} : { name: named('event_names', event.name_iid).name ?? '' }),
          ...(event.category_iids === undefined
            ? {}
            : { category: event.category_iids.map((iid) => named('event_categories', iid).name).join(',') }),
          ...(event.double_counter_value === undefined ? {} : { value: event.double_counter_value }),
          ...(event.debug_annotations === undefined
            ? {}
            : {
                args: Object.fromEntries(
                  event.debug_annotations.map((one) => [
                    named('debug_annotation_names', one.name_iid).name,
                    one.string_value ?? one.int_value ?? one.double_value,
                  ]),
                ),
              }),
          ...(event.callstack_iid === undefined
            ? {}
            : { frames: (named('callstacks', event.callstack_iid).frame_ids ?? []).map(frameName) }),
        }),
  };
}

/** A track by the names of those above it. */
function nameOf(track: NonNullable<Packet['track_descriptor']>, names: ReadonlyMap<number, string>): string {
  const { process, thread, parent_uuid: parent } = track;
  if (process !== undefined) return `process ${process.pid} ${process.process_name}`;
  if (thread !== undefined) return `thread ${thread.pid}/${thread.tid} ${thread.thread_name}`;
  const own = track.name ?? '';
  return parent === undefined ? own : `${ensure(names.get(parent), 'the parent was described before')} › ${own}`;
}
