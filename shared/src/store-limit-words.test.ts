import { describe, expect, it } from 'vitest';
import { readAgeWord, readBytesWord, readStoreLimit, storeLimitWord } from './store-limit-words.ts';

describe('a bound in a word', () => {
  it('is a whole number with a unit', () => {
    expect(readBytesWord('500M')).toBe(500 * 1024 ** 2);
    expect(readBytesWord(' 10G ')).toBe(10 * 1024 ** 3);
    expect(readAgeWord('12h')).toBe(43_200_000);
    expect(readAgeWord('30d')).toBe(2_592_000_000);
    expect(readStoreLimit('ageMaxMs', '5m')).toBe(300_000);
    expect(readStoreLimit('sessionBytesMax', '5M')).toBe(5 * 1024 ** 2);
  });

  it.each(['', '0G', '10', 'G', '1.5G', '-1G', '10g', '10 G', '1e9B', '9999999999999999T', '10d'])(
    'is no size: %s',
    (word) => expect(readBytesWord(word)).toBeUndefined(),
  );

  it.each(['0d', '30', '30D', '5M', '1w', '9999999999999999d'])('is no time: %s', (word) =>
    expect(readAgeWord(word)).toBeUndefined(),
  );

  it('reads back as what it was, in the largest unit that says it whole', () => {
    expect(storeLimitWord('bytesMax', 10 * 1024 ** 3)).toBe('10G');
    expect(storeLimitWord('bytesMax', 1536 * 1024 ** 2)).toBe('1536M');
    expect(storeLimitWord('ageMaxMs', 36 * 3_600_000)).toBe('36h');
    for (const value of [1, 999, 1_000_000_001, Number.MAX_SAFE_INTEGER])
      for (const name of ['bytesMax', 'ageMaxMs'] as const)
        expect(readStoreLimit(name, storeLimitWord(name, value))).toBe(value);
  });
});
