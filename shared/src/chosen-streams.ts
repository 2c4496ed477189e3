/** Which streams of a probe a name alone stands for. */
import type { ProbeManifest, Stream } from './probe-manifest.ts';

/**
 * The streams that are meant where a probe is named and no stream: its default ones; all of them where none is. A probe that
 * costs much is not for a machine where nobody asked, so it has no default streams; whoever names it has asked.
 */
export function streamsMeantBy({ streams }: ProbeManifest): readonly Stream[] {
  const defaults = streams.filter(({ isDefault }) => isDefault);
  return defaults.length > 0 ? defaults : streams;
}
