/** The bounds of a store that were set while it was served: a small file in it, so that they last. */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  err,
  ok,
  type Result,
  sessionAgeMaxMs,
  sessionBytesMax,
  storeAgeMaxMs,
  storeBytesMax,
  type StoreLimits,
  StoreLimitsSchema,
} from '@faultline/shared';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';

/** Name of the file in the store's folder. */
export const boundsName = '.bounds.json';

/** What a store may hold where nobody said anything. */
export const defaultStoreLimits: StoreLimits = {
  bytesMax: storeBytesMax,
  ageMaxMs: storeAgeMaxMs,
  sessionBytesMax,
  sessionAgeMaxMs,
};

const validator = Compile(Type.Partial(StoreLimitsSchema, { additionalProperties: false }));

/** What was set; nothing where there is no such file. Error: a sentence on why it can't be believed. */
export function readBounds(folder: string): Result<Partial<StoreLimits>, string> {
  const path = join(folder, boundsName);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return isMissing ? ok({}) : err(`${path} can't be read: ${String(error)}`);
  }
  try {
    const value: unknown = JSON.parse(text);
    return validator.Check(value) ? ok(value) : err(`${path} does not hold the bounds of a store`);
  } catch {
    return err(`${path} is no JSON`);
  }
}

/** Writes them down, whole or not at all. Throws what the file system throws. */
export function writeBounds(folder: string, bounds: Partial<StoreLimits>): void {
  const path = join(folder, boundsName);
  const draft = `${path}.${process.pid}`;
  const file = openSync(draft, 'w', 0o600);
  try {
    writeFileSync(file, `${JSON.stringify(bounds, undefined, 2)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
}
