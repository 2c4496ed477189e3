/** The probe folders, read and checked strictly once at the start. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type ProbeManifest, ProbeManifestSchema, type Result, type Stream } from '@faultline/shared';
import { Compile } from 'typebox/compile';

/** A probe and where its folder is. */
export type CataloguedProbe = { readonly manifest: ProbeManifest; readonly folder: string };

/** What is wrong with a manifest: file, place in it, and the cure. */
export type CatalogueError = { readonly file: string; readonly message: string };

const validator = Compile(ProbeManifestSchema);

/** Reads every folder below `root` that holds a manifest.json, in order of name; the first bad one is the answer. */
export async function readCatalogue(root: string): Promise<Result<readonly CataloguedProbe[], CatalogueError>> {
  const probes: CataloguedProbe[] = [];
  const entries = await readdir(root, { withFileTypes: true });
  for (const entry of entries.toSorted((left, right) => (left.name < right.name ? -1 : 1))) {
    if (!entry.isDirectory() || entry.name === 'node_modules') continue;
    const file = join(root, entry.name, 'manifest.json');
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const manifest = parseManifest(text, file, entry.name);
    if (!manifest.ok) return manifest;
    probes.push({ manifest: manifest.value, folder: join(root, entry.name) });
  }
  return ok(probes);
}

/** Checks one manifest: its schema, and what a schema can't say (unique names, text keys last, references that exist). */
export function parseManifest(text: string, file: string, folderName: string): Result<ProbeManifest, CatalogueError> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return err({ file, message: `not valid JSON: ${cause instanceof Error ? cause.message : String(cause)}` });
  }
  if (!validator.Check(value)) {
    const first = validator.Errors(value)[0];
    return err({ file, message: `${first?.instancePath || '/'}: ${first?.message ?? 'does not fit the schema'}` });
  }
  const fault = value.name === folderName ? faultOf(value) : `name "${value.name}" is not the folder's, ${folderName}`;
  return fault === undefined ? ok(value) : err({ file, message: fault });
}

function faultOf(manifest: ProbeManifest): string | undefined {
  const names = manifest.streams.map((stream) => stream.name);
  if (new Set(names).size !== names.length) return 'two streams of one name';
  for (const stream of manifest.streams) {
    const fault = streamFault(stream, names);
    if (fault !== undefined) return `stream ${stream.name}: ${fault}`;
  }
  return undefined;
}

function streamFault(stream: Stream, names: readonly string[]): string | undefined {
  const unknown = stream.insteadOf.find((name) => !names.includes(name));
  if (unknown !== undefined) return `insteadOf names ${unknown}, which is no stream of this probe`;
  for (const spec of stream.maps) {
    const early = spec.key.slice(0, -1).some((part) => part.kind === 'text');
    if (early) return `map ${spec.map}: a text must be the last part of a key, since it may hold commas`;
    const first = stream.maps.find(({ map }) => map === spec.map);
    if (JSON.stringify(first?.key) !== JSON.stringify(spec.key))
      return `map ${spec.map}: all metrics of a map have the same key`;
    const same = stream.maps.find(({ metric }) => metric === spec.metric);
    if (same?.unit !== spec.unit || same.kind !== spec.kind || same.title !== spec.title || same.role !== spec.role)
      return `metric ${spec.metric}: its maps differ in title, unit, kind or role`;
    const dimensions = spec.key.flatMap((part) =>
      part.kind === 'packed' ? part.fields.map(({ name }) => name) : [part.name],
    );
    const named = [...(spec.keep ?? []), ...[spec.only?.name, spec.weight?.name].filter((name) => name !== undefined)];
    const missing = named.find((name) => !dimensions.includes(name));
    if (missing !== undefined) return `map ${spec.map}: metric ${spec.metric} names ${missing}, which its key has not`;
    const hasBucket = (spec.keep ?? dimensions).includes('bucket');
    if (hasBucket !== (spec.kind === 'buckets'))
      return `map ${spec.map}: kind buckets and a bucket in the key go together`;
  }
  if (stream.kind === 'call' && stream.columns.length === 0) return 'a call stream needs columns';
  const bad = stream.parameters.find((one) => one.default < one.minimum || one.default > one.maximum);
  return bad === undefined ? undefined : `parameter ${bad.name}: its default is outside its bounds`;
}
