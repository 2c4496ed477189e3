/** What the processes of the fan-out benchmark tell each other. */
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';

const AddressSchema = Type.Object({ url: Type.String() });
const ServerReportSchema = Type.Object({
  cpuShare: Type.Number(),
  passedMs: Type.Number(),
  bytesPerEvent: Type.Number(),
});
const ClientReportSchema = Type.Array(
  Type.Object({
    frames: Type.Number(),
    events: Type.Number(),
    mergedTicks: Type.Number(),
    droppedCalls: Type.Number(),
  }),
);

/** The server's first message: where it listens. */
export function readAddress(message: unknown): Static<typeof AddressSchema> {
  return Value.Parse(AddressSchema, message);
}

/** What the server did since it was last asked. */
export function readServerReport(message: unknown): Static<typeof ServerReportSchema> {
  return Value.Parse(ServerReportSchema, message);
}

/** What each client of a process got since it was last asked. */
export function readClientReport(message: unknown): Static<typeof ClientReportSchema> {
  return Value.Parse(ClientReportSchema, message);
}
