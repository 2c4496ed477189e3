import { appendFileSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveFiguresMax, sessionFiles } from '@faultline/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTempStore, recordBusySession, type TempStore } from '../../test/fakes/temp-store.ts';
import { type FinalFigures, LiveFigures } from './live-figures.ts';
import { readFigures } from './recorded-figures.ts';

let temp: TempStore;
let folder: string;
let whole: Buffer;

beforeEach(async () => {
  temp = await openTempStore();
  await recordBusySession(temp, 'a');
  whole = readFileSync(join(temp.folder, 'a', sessionFiles.journal));
  folder = mkdtempSync(join(tmpdir(), 'faultline-live-'));
});

afterEach(async () => {
  rmSync(folder, { recursive: true });
  await temp[Symbol.asyncDispose]();
});

const journal = (): string => join(folder, sessionFiles.journal);
const settled = ({ figures }: FinalFigures): unknown => [
  figures.head,
  figures.settled(),
  figures.runs.map(({ run }) => run),
];
/** What reading all of the journal gives. */
async function fromTheBeginning(): Promise<unknown> {
  const { figures, end } = await readFigures(journal());
  return settled({ figures, damage: end.damage });
}

describe('a journal that grows', () => {
  it('gives at every byte the figures that all of it gives, the end of a line being torn or not', async () => {
    const live = new LiveFigures();
    writeFileSync(journal(), whole.subarray(0, 1));
    const stepBytes = 97;
    for (let at = 1; at < whole.length; at += stepBytes) {
      appendFileSync(journal(), whole.subarray(at, at + stepBytes));
      const now = await live.read(folder);
      expect(now.damage).toBeUndefined();
      expect(settled(now)).toEqual(await fromTheBeginning());
    }
    expect(readFileSync(journal()).equals(whole)).toBe(true);
  });

  it('is read on and not again: what was read is not looked at any more', async () => {
    const live = new LiveFigures();
    const half = whole.lastIndexOf('\n', whole.length / 2) + 1;
    writeFileSync(journal(), whole.subarray(0, half));
    await live.read(folder);
    writeFileSync(journal(), Buffer.concat([Buffer.alloc(half, 'x'), whole.subarray(half)]));
    const now = await live.read(folder);
    expect(now.damage).toBeUndefined();
    writeFileSync(journal(), whole);
    expect(settled(now)).toEqual(await fromTheBeginning());
  });

  it('says the same to all who ask at once, and what they were told does not change', async () => {
    const live = new LiveFigures();
    const half = whole.lastIndexOf('\n', whole.length / 2) + 1;
    writeFileSync(journal(), whole.subarray(0, half));
    const early = await fromTheBeginning();
    const answers = await Promise.all([live.read(folder), live.read(folder), live.read(folder)]);
    appendFileSync(journal(), whole.subarray(half));
    const later = await Promise.all([live.read(folder), live.read(folder)]);
    for (const answer of answers) expect(settled(answer)).toEqual(early);
    for (const answer of later) expect(settled(answer)).toEqual(await fromTheBeginning());
    expect(early).not.toEqual(await fromTheBeginning());
  });

  it('is read from its beginning where it is another one, or shorter than before', async () => {
    const live = new LiveFigures();
    writeFileSync(journal(), whole);
    await live.read(folder);
    const half = whole.lastIndexOf('\n', whole.length / 2) + 1;
    writeFileSync(journal(), whole.subarray(0, half));
    expect(settled(await live.read(folder))).toEqual(await fromTheBeginning());
    rmSync(journal());
    copyFileSync(join(temp.folder, 'a', sessionFiles.journal), journal());
    expect(settled(await live.read(folder))).toEqual(await fromTheBeginning());
  });

  it('keeps saying where it is damaged', async () => {
    const live = new LiveFigures();
    writeFileSync(journal(), Buffer.concat([whole.subarray(0, whole.indexOf('\n') + 1), Buffer.from('{}\n')]));
    for (let time = 0; time < 2; time += 1)
      expect((await live.read(folder)).damage).toContain('a line that does not fit the format');
  });

  it('is forgotten when others were asked for since', async () => {
    const live = new LiveFigures();
    const others = Array.from({ length: liveFiguresMax }, () => mkdtempSync(join(tmpdir(), 'faultline-live-')));
    writeFileSync(journal(), whole);
    await live.read(folder);
    for (const other of others) {
      writeFileSync(join(other, sessionFiles.journal), whole);
      await live.read(other);
      rmSync(other, { recursive: true });
    }
    writeFileSync(journal(), Buffer.concat([Buffer.from('x\n'), Buffer.alloc(whole.length, 'y')]));
    expect((await live.read(folder)).damage).toContain('not JSON');
  });
});
