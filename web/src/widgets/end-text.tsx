import type { ReactNode } from 'react';

/** So many characters at its end stay in sight: there names of one series differ, by their kernel and their number. */
const endChars = 12;

/** Of a short name fewer do: beside a mark not even twelve have room, and what is cut off must show. */
const shortEndChars = 6;

/** A beginning of fewer characters than the mark of what is left out takes is no piece of its own. */
const startCharsMin = 5;

/** An accent or a flag is not parted from what it belongs to. */
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/**
 * Text of which the beginning gives way where there is no room for all. The whole of it is in the document for who reads or
 * copies it; in a row of a table that has the keyboard's focus it is seen whole too.
 */
export function EndText({ text }: { readonly text: string }): ReactNode {
  const signs = Array.from(graphemes.segment(text), ({ segment }) => segment);
  const at = [endChars, shortEndChars, 0].map((chars) => signs.length - chars).find((start) => start >= startCharsMin);
  const startChars = at ?? signs.length;
  return (
    <span className="end-text">
      <span className="end-text-whole">{text}</span>
      <span className="end-text-start" data-text={signs.slice(0, startChars).join('')} aria-hidden="true" />
      {startChars === signs.length ? null : (
        <span className="end-text-end" data-text={signs.slice(startChars).join('')} aria-hidden="true" />
      )}
    </span>
  );
}
