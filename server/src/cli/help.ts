/** How every command speaks of itself: its help, and what is said when its words are wrong. */
import { type Command, Help, type Option } from 'commander';
import { wrapText } from '../exports/text-table.ts';
import type { Terminal } from './terminal.ts';

/** Help is never wider, and on a terminal errors neither: one that says nothing else has so many columns, and so has what is pasted. */
export const helpColumns = 80;

/** Settles that for a program before commands are added to it, which take it over. Errors go to a file as one line, to be searched. */
export function withPlainHelp(program: Command, terminal: Partial<Pick<Terminal, 'isErrTty'>>): Command {
  return program.configureHelp({ optionDescription: describeOption }).configureOutput({
    outputError: (text, write) =>
      write(terminal.isErrTty === true ? `${wrapText(text.trimEnd(), helpColumns).join('\n')}\n` : text),
  });
}

/** Once all commands are there: who gets the words of one wrong is told where these stand. */
export function nameOwnHelp(command: Command, parents = ''): void {
  const path = `${parents}${command.name()}`;
  command.showHelpAfterError(`(${path} --help says more)`);
  for (const one of command.commands) nameOwnHelp(one, `${path} `);
}

/** As commander does, but an option that may be given again and again has no default worth a word. */
function describeOption(option: Option): string {
  const defaultValue: unknown = option.defaultValue;
  if (Array.isArray(defaultValue) && defaultValue.length === 0) return option.description;
  return Help.prototype.optionDescription.call(new Help(), option);
}
