/** Pieces of Markdown. */

/** A row of a table; its cells are Markdown already. */
export function markdownRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Text as Markdown: names of builds come from files, so no mark-up of theirs. */
export function markdownText(text: string): string {
  return text.replaceAll(/[\\`*_|<>[\]#]/g, (one) => `\\${one}`);
}
