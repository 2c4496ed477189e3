import { describe, expect, it } from 'vitest';
import type { GuestTarget } from '../targets/guest.ts';
import { openTempStore, recordBusySession } from '../../test/fakes/temp-store.ts';
import { setupAfter } from './setup.ts';

const target = { isEmulated: true, guest: { build: undefined } } as GuestTarget;
const ownBuild = { isEmulated: true, guest: { build: '6.1, vfio-pci-core with v2.cocci 0123abcd' } } as GuestTarget;
const request = { workload: 'touch', barBytes: 1_048_576, isMisaligned: true, repetitions: 2, threads: undefined };
const use = { kernel: '6.1', target, request, lines: [] };
const said = '{"mode":"touch","isDone":true,"pages":256}';

describe('the setup of a session', () => {
  it('says what was run on what, and what the workload said at last', () => {
    const begun = setupAfter({}, use);
    expect(begun).toEqual({
      workload: 'touch',
      setup: {
        build: '6.1',
        accelerator: 'tcg',
        device: '0000:01:00.0',
        workload: {
          name: 'touch',
          arguments: expect.arrayContaining(['--size', '1048576', '--count', '2', '--misaligned']),
          barBytes: 1_048_576,
          isMisaligned: true,
          repetitions: 2,
        },
      },
    });
    const ended = setupAfter(begun, { ...use, lines: ['{"pages":1}', said, 'bye'] });
    expect(ended.setup).toEqual({ ...begun.setup, printed: { mode: 'touch', isDone: true, pages: 256 } });
  });

  it('is of no workload where different ones ran, and names them all', () => {
    const other = { ...use, request: { ...request, workload: 'zap' }, lines: [said] };
    const both = setupAfter(setupAfter({}, use), other);
    expect(both.workload).toBe('touch, zap');
    expect(both.setup.workload).toBeUndefined();
    expect(both.setup.printed).toBeUndefined();
    const again = setupAfter(both, use);
    expect(again.workload).toBe('touch, zap');
    expect(again.setup.workload).toBeUndefined();
  });

  it('names the module of a build, its patch and its digest', () => {
    expect(setupAfter({}, { ...use, target: ownBuild }).setup.module).toBe('6.1, vfio-pci-core with v2.cocci 0123abcd');
    expect(setupAfter({}, use).setup).not.toHaveProperty('module');
  });

  it('keeps series and number that somebody gave it', () => {
    const before = { setup: { series: 'a', runNumber: 3 } };
    expect(setupAfter(before, use).setup).toMatchObject({ series: 'a', runNumber: 3, build: '6.1' });
  });

  it('takes nothing odd of what is printed, so that its manifest can be read again', async () => {
    const odd = { 'bad name': 1, nested: { a: 1 }, text: 'a\u0000', far: 'x'.repeat(300), good: 1.5, list: [1] };
    const { setup, workload } = setupAfter({}, { ...use, lines: [JSON.stringify(odd), '[1]', 'null', '{'] });
    expect(setup.printed).toEqual({ good: 1.5 });
    await using temp = await openTempStore();
    const id = await recordBusySession(temp, 'host-1');
    temp.store.library.edit(id, () => ({ setup, workload }));
    expect(temp.store.library.findReadable(id)).toMatchObject({ ok: true, value: { manifest: { setup, workload } } });
  });
});
