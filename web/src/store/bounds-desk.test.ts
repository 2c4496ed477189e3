import { type StorePreview, type StoreView, err, ok } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import { BoundsDesk } from './bounds-desk.ts';

const limits = { bytesMax: 1024, ageMaxMs: 60_000, sessionBytesMax: 1024, sessionAgeMaxMs: 60_000 };
const view: StoreView = { bytes: 10, removedBytes: 0, sessionCount: 2, pinnedBytes: 0, limits, fixed: [] };
const preview: StorePreview = { sessions: ['a'], bytes: 5, forgottenBytes: 0, excessBytes: 0 };

/** A form over a server that answers questions when it is told to. */
async function openDesk() {
  const asked: unknown[] = [];
  const sent: unknown[] = [];
  const answers: ((answer: StorePreview) => void)[] = [];
  const desk = new BoundsDesk({
    port: {
      store: () => Promise.resolve(ok(view)),
      previewBounds: (wanted) => {
        asked.push(wanted);
        return new Promise((resolve) => answers.push((answer) => resolve(ok(answer))));
      },
      setBounds: (wanted) => {
        sent.push(wanted);
        return Promise.resolve(err({ error: 'store-problem', message: 'The disk is full.' }));
      },
    },
    changed: () => undefined,
    set: () => undefined,
  });
  await desk.open();
  return { desk, asked, sent, answers };
}

describe('the form of the bounds', () => {
  it('sets nothing before it is known what that takes away, and says why it was refused', async () => {
    const { desk, sent, answers } = await openDesk();
    const typing = desk.type({ bytesMax: '500B' });
    await desk.set();
    expect(sent).toEqual([]);
    answers[0]?.(preview);
    await typing;
    await desk.set();
    expect(sent).toEqual([{ bytesMax: 500 }]);
    expect(desk.state).toMatchObject({ isSetting: false, problem: { message: 'The disk is full.' } });
  });

  it('takes no answer for what was typed before it, and asks about what was typed last', async () => {
    const { desk, asked, answers } = await openDesk();
    const typing = desk.type({ bytesMax: '5B' });
    await desk.type({ bytesMax: '50B' });
    await desk.type({ bytesMax: '500B' });
    expect(asked).toEqual([{ bytesMax: 5 }]);
    answers[0]?.({ ...preview, sessions: ['a', 'b'] });
    await expect.poll(() => asked).toEqual([{ bytesMax: 5 }, { bytesMax: 500 }]);
    expect(desk.state?.preview).toEqual({ kind: 'loading' });
    answers[1]?.(preview);
    await typing;
    expect(desk.state?.preview).toEqual({ kind: 'ready', value: preview });
  });

  it('asks nothing about what is no bound, or is one already', async () => {
    const { desk, asked } = await openDesk();
    for (const word of ['', '12', '1K', '0B']) await desk.type({ bytesMax: word });
    await desk.type({ ageMaxMs: '1m' });
    expect(asked).toEqual([]);
    expect(desk.state?.preview).toBeUndefined();
  });
});
