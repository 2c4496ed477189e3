/** Where the command line writes to. Commands get one; only main makes one of the process. */

/** Two streams of text, and what is known of the screen behind them. */
export type Terminal = {
  /** What was asked for. */
  readonly out: (text: string) => void;
  /** Progress, warnings, errors. */
  readonly err: (text: string) => void;
  /** Whether progress may be redrawn in place. */
  readonly isErrTty: boolean;
  /** Width of the screen that progress is drawn on, columns. */
  readonly errColumns: number;
  /** Width of tables on stdout, columns. */
  readonly width: number;
};

/** Tables are never narrower or wider than this; 100 is what is easily read. */
const widthMin = 72;
const widthMax = 100;

/** The process's own streams. A reader that has gone (`| head`) is no error and ends nothing. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    isErrTty: stderr.isTTY,
    get errColumns() {
      return stderr.isTTY ? stderr.columns : widthMax;
    },
    width: Math.min(widthMax, Math.max(widthMin, stdout.isTTY ? stdout.columns : widthMax)),
  };
}

/** Draws progress in place of what was drawn before; a line that the screen breaks would leave its rest behind each time. */
export function redraw(terminal: Pick<Terminal, 'err' | 'errColumns'>, text: string): void {
  const room = Math.max(1, terminal.errColumns - 1);
  terminal.err(`\r\u001b[K${text.length <= room ? text : `${text.slice(0, room - 1)}…`}`);
}

/** An error as every command says it: what and where on one line, what to do on the next. */
export function complaint(message: string, remedy: string): string {
  return `faultline: ${message}\n  ${remedy}\n`;
}
