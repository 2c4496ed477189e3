/** A session's folder: its manifest, read strictly, written whole or not at all. */
import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import {
  ensure,
  err,
  ok,
  type Result,
  type SessionManifest,
  SessionManifestSchema,
  sessionFiles,
  sessionFormatVersion,
  sessionManifestBytesMax,
} from '@faultline/shared';
import { Compile } from 'typebox/compile';

/** Why a session can't be read. */
export type SessionFileError = {
  readonly kind: 'missing' | 'not-readable' | 'newer' | 'damaged';
  readonly message: string;
};

const validator = Compile(SessionManifestSchema);

/** What a manifest of a version has to undergo to be one of the next. */
const upgraders: ReadonlyMap<number, (manifest: object) => object> = new Map([
  // `setup` is new and may be absent; so may the files beside the journal, which are made when they are wanted.
  [1, (manifest) => ({ ...manifest, formatVersion: 2 })],
]);

/** Checks the text of a manifest; an older version is upgraded step by step, a newer one refused. */
export function parseSessionManifest(text: string): Result<SessionManifest, SessionFileError> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err({ kind: 'damaged', message: 'its manifest is not JSON' });
  }
  if (typeof value !== 'object' || value === null || !('formatVersion' in value))
    return err({ kind: 'damaged', message: 'its manifest has no formatVersion' });
  const refusal = refuseVersion(value.formatVersion);
  if (refusal !== undefined) return err(refusal);
  const upgraded = upgradeSteps(value, Number(value.formatVersion), upgraders);
  if (validator.Check(upgraded)) return ok(upgraded);
  return err({ kind: 'damaged', message: `its manifest, ${firstError(upgraded)}` });
}

/** Why a manifest could not be read again if it were written; undefined where it could. */
export function refuseManifest(manifest: SessionManifest): string | undefined {
  return validator.Check(manifest) ? undefined : firstError(manifest);
}

function firstError(value: unknown): string {
  const [first] = validator.Errors(value);
  return `${first?.instancePath || '/'}: ${first?.message ?? 'does not fit'}`;
}

/** Takes what was read of an older version through every step to the present one. */
export function upgradeSteps(
  value: object,
  fromVersion: number,
  steps: ReadonlyMap<number, (value: object) => object>,
): object {
  let upgraded = value;
  for (let version = fromVersion; version < sessionFormatVersion; version += 1) {
    upgraded = ensure(steps.get(version), `an upgrader from format version ${version}`)(upgraded);
  }
  return upgraded;
}

/** Says no to versions that this Faultline can't know. */
export function refuseVersion(version: unknown): SessionFileError | undefined {
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1)
    return { kind: 'damaged', message: 'its format version is no positive integer' };
  if (version <= sessionFormatVersion) return undefined;
  const message = `it has format version ${version}, and this Faultline reads up to ${sessionFormatVersion}; use a newer Faultline`;
  return { kind: 'newer', message };
}

/** Reads a session's manifest. */
export function readSessionManifest(folder: string): Result<SessionManifest, SessionFileError> {
  const path = join(folder, sessionFiles.manifest);
  try {
    if (statSync(path).size > sessionManifestBytesMax)
      return err({ kind: 'damaged', message: 'its manifest is too large' });
    return parseSessionManifest(readFileSync(path, 'utf8'));
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (isMissing) return err({ kind: 'missing', message: 'there is no such session' });
    return err({ kind: 'not-readable', message: error instanceof Error ? error.message : String(error) });
  }
}

/** Replaces a session's manifest: who reads sees the old one or the new one. Throws what the file system throws. */
export function writeSessionManifest(folder: string, manifest: SessionManifest): void {
  replaceFile(join(folder, sessionFiles.manifest), `${JSON.stringify(manifest, undefined, 1)}\n`);
}

/** Replaces a file, whole or not at all: who reads sees the old one or the new one. Throws what the file system throws. */
export function replaceFile(path: string, text: string): void {
  const draft = `${path}.${randomUUID()}`;
  try {
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeWhole(file, Buffer.from(text));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function writeWhole(file: number, bytes: Buffer): void {
  for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
}

/** What is said about a session by others than its recorder; kept when its recorder writes the manifest anew. */
export type SessionEdits = Pick<
  SessionManifest,
  'name' | 'label' | 'workload' | 'setup' | 'notes' | 'marks' | 'isPinned'
>;

/** The edits of a manifest alone; absent ones stay absent. */
export function editsOf(manifest: SessionManifest): SessionEdits {
  const { name, label, workload, setup, notes, marks, isPinned } = manifest;
  return {
    ...(name === undefined ? {} : { name }),
    ...(label === undefined ? {} : { label }),
    ...(workload === undefined ? {} : { workload }),
    ...(setup === undefined ? {} : { setup }),
    notes,
    marks,
    isPinned,
  };
}
