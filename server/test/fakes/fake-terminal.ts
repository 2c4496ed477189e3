/** A terminal that remembers what was written to it. */
import type { Terminal } from '../../src/cli/terminal.ts';

/** What was printed so far, by stream. */
export type FakeTerminal = Terminal & { readonly printed: { out: string; err: string } };

/** A terminal of 80 columns, stderr not being one unless said so. */
export function fakeTerminal(
  differences: Partial<Pick<Terminal, 'isErrTty' | 'errColumns' | 'width'>> = {},
): FakeTerminal {
  const printed = { out: '', err: '' };
  return {
    printed,
    out: (text) => {
      printed.out += text;
    },
    err: (text) => {
      printed.err += text;
    },
    isErrTty: false,
    errColumns: 80,
    width: 80,
    ...differences,
  };
}
