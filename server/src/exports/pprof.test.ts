import { gunzipSync } from 'node:zlib';
import { Profile } from 'pprof-format';
import { describe, expect, it } from 'vitest';
import { readPprof } from '../../test/fakes/read-pprof.ts';
import { evil, recordStackedSession } from '../../test/fakes/stacked-session.ts';
import { openTempStore } from '../../test/fakes/temp-store.ts';
import { openExportSource } from '../sessions/export-source.ts';
import type { JournalEvent } from '../sessions/journal-reader.ts';
import { RecordedFigures } from '../sessions/recorded-figures.ts';
import { exportPprof } from './pprof.ts';

/** The profile of the session, after `change` of its events. */
async function exported(change: (event: JournalEvent) => JournalEvent = (event) => event): Promise<Uint8Array> {
  await using temp = await openTempStore();
  await recordStackedSession(temp);
  const found = temp.store.library.findReadable('s');
  if (!found.ok) throw new Error(found.error.message);
  const source = openExportSource(found.value);
  const figures = async (): Promise<RecordedFigures> => {
    const made = new RecordedFigures();
    for await (const event of source.events()) made.add(change(event));
    return made;
  };
  return gunzipSync(Buffer.concat(await Array.fromAsync(exportPprof({ ...source, figures }))));
}

describe('a pprof profile', () => {
  it('weighs the stacks of what was counted, from the process to the innermost frame', async () => {
    expect(readPprof(await exported())).toEqual({
      types: ['events count', 'time nanoseconds'],
      mainType: 'events',
      startedAtNs: 1_000_000_000,
      lastedNs: 0,
      comments: ['faultline 0.0.0-test, session s', 'kernel 6.18.0-test x86_64', 'workload sparse'],
      samples: [
        {
          frames: [evil, 'handle_mm_fault', 'vfio_pci_mmap_fault', 'remap_pfn_range', 'violations'],
          values: [8, 0],
          labels: { comm: evil, probe: 'busy' },
        },
      ],
    });
  });

  it('has the time by process where nothing was counted by stack', async () => {
    const profile = await exported((event) => {
      if (event.kind !== 'run' || event.index !== 0) return event;
      const [violations] = event.run.stream.maps;
      if (violations === undefined) throw new Error('the stream has a map');
      const key = violations.key.filter((part) => part.kind !== 'stack');
      const summed = { ...violations, kind: 'sum', unit: 'ns', role: 'figure', key } as const;
      return { ...event, run: { ...event.run, stream: { ...event.run.stream, maps: [summed] } } };
    });
    expect(readPprof(profile)).toMatchObject({
      mainType: 'time',
      samples: [{ frames: [evil, 'busy', 'violations', 'mode=mmap-read', expect.any(String)], values: [0, 8] }],
    });
  });

  it('refers to nothing that it does not hold', async () => {
    const profile = Profile.decode(await exported());
    const functions = new Set(profile.function.map(({ id }) => id));
    const mappings = new Set(profile.mapping.map(({ id }) => id));
    for (const { line, mappingId } of profile.location) {
      expect(mappings.has(mappingId)).toBe(true);
      for (const { functionId } of line) expect(functions.has(functionId)).toBe(true);
    }
  });
});
