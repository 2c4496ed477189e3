/** The words by which people name sizes of a device's BAR. */
import { barBytesMax, barBytesMin, err, ok, type Result } from '@faultline/shared';

/** `64M`, `1G` in bytes: a power of two, as a BAR is. Error: it is no such size. */
export function parseBarBytes(text: string): Result<number, { readonly message: string; readonly remedy: string }> {
  const match = /^([0-9]{1,10})([KMG]?)$/.exec(text);
  const unit = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 }[match?.[2] ?? ''] ?? Number.NaN;
  const bytes = Number(match?.[1]) * unit;
  if (bytes >= barBytesMin && bytes <= barBytesMax && Number.isInteger(Math.log2(bytes))) return ok(bytes);
  return err({
    message: `${JSON.stringify(text)} is no size of a BAR`,
    remedy: 'Give a power of two from 1M to 4G, such as 64M.',
  });
}
