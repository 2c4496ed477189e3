/** JSON Lines, the native form: one line with the manifest, then the journal as it lies on disk. */
import { sessionFormatVersion } from '@faultline/shared';
import type { ExportSource } from './source.ts';

/** What another Faultline imports, equal to what was exported. */
export async function* exportJsonl(source: ExportSource): AsyncGenerator<string | Uint8Array> {
  const { manifest } = source;
  yield `${JSON.stringify({ kind: 'faultline-session', formatVersion: sessionFormatVersion, manifest })}\n`;
  yield* source.journal();
}
