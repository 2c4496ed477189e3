/** A pprof profile as a person would read it, by the decoder of pprof-format. */
import { ensure } from '@faultline/shared';
import { Profile } from 'pprof-format';

/** Frames outermost first. */
export function readPprof(bytes: Uint8Array): object {
  const profile = Profile.decode(bytes);
  const text = (at: number | bigint): string => ensure(profile.stringTable.strings[Number(at)], `string ${at}`);
  const functions = new Map(profile.function.map(({ id, name }) => [Number(id), text(name)]));
  const locations = new Map(
    profile.location.map(({ id, line }) => [Number(id), functions.get(Number(line[0]?.functionId)) ?? '']),
  );
  return {
    types: profile.sampleType.map(({ type, unit }) => `${text(type)} ${text(unit)}`),
    mainType: text(profile.defaultSampleType),
    startedAtNs: Number(profile.timeNanos),
    lastedNs: Number(profile.durationNanos),
    comments: profile.comment.map(text),
    samples: profile.sample.map(({ locationId, value, label }) => ({
      frames: locationId.map((id) => ensure(locations.get(Number(id)), `location ${id}`)).toReversed(),
      values: value.map(Number),
      labels: Object.fromEntries(label.map(({ key, str }) => [text(key), text(str)])),
    })),
  };
}
