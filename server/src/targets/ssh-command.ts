/**
 * The words that go over ssh. What the remote login shell sees is quoted so that any shell takes it as it is, and the
 * program runs under a small POSIX shell that tells its exit status, passes signals on, and ends it with the connection.
 */
import { err, ok, type Result, sshDestinationCharsMax, sshFileMaxSec, sshLeaseSec } from '@faultline/shared';

/** Why a text is not a destination. */
export type DestinationError = { readonly message: string; readonly remedy: string };

/** HOST, USER@HOST, a name of the user's ssh config, or ssh://USER@HOST:PORT; never an option, never shell syntax. */
export function parseDestination(text: string): Result<string, DestinationError> {
  const isSane = /^(?:ssh:\/\/)?(?:[A-Za-z0-9_][A-Za-z0-9_.-]*@)?[A-Za-z0-9_:[][A-Za-z0-9_.:\]-]*$/.test(text);
  if (isSane && text.length <= sshDestinationCharsMax) return ok(text);
  return err({
    message: `${JSON.stringify(text.slice(0, sshDestinationCharsMax))} is not a destination of ssh`,
    remedy: 'Give HOST, USER@HOST, ssh://USER@HOST:PORT, or a name from your ssh config.',
  });
}

/** One word of a command line: in single quotes, and what a shell might see in them in double quotes. */
export function quoted(word: string): string {
  // fish takes a backslash in single quotes for an escape; in double quotes all shells read \\ as one.
  const parts = word.split(/(['\\]+)/);
  return parts
    .filter((part) => part !== '')
    .map((part) => (/^['\\]/.test(part) ? `"${part.replaceAll('\\', '\\\\')}"` : `'${part}'`))
    .join('')
    .replace(/^$/, "''");
}

/** One word of a command line that somebody shall read and type: most paths do without quotes, and read better so. */
export function shellWord(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : quoted(word);
}

/** Reads a line as it comes, without taking bytes of the next one. */
const readLine = 'IFS= read -r s && printf %s "$s"';

/** `$lease` reads one line and gives up when none comes: the other side renews, so it is gone then. */
const setLease = `lease="timeout ${sshLeaseSec}"; command -v timeout >/dev/null 2>&1 || lease=`;

/** Says its number, then becomes the program. In the foreground: what a shell starts behind itself ignores SIGINT. */
const becomeProgram = 'echo $$ >&6; exec "$@" 3<&- 4>&- 5>&- 6>&-';

/**
 * Left of the pipe the program, then its status; right of it who listens on standard input for names of signals. At its
 * end, or without a sign of life, the program is killed; where that is not permitted (it belongs to root), the
 * connection's own sshd is, which closes the program's pipes.
 */
const supervise = [
  'PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; mark=$1 become=$2 line=$3; shift 3',
  setLease,
  'missing= ; command -v "$1" >/dev/null 2>&1 || missing=missing',
  'case $1 in */*) [ -e "$1" ] && { missing= ; [ -x "$1" ] || missing=denied; } ;; esac',
  '[ -z "$missing" ] || { printf "%s %s;" "$mark" "$missing" >&2; exit 0; }',
  'exec 3<&0 4>&1 5>&2 </dev/null',
  '{ sh -c "$become" sh "$@" 6>&1 >&4 2>&5; echo $?; } 2>/dev/null 3<&- | { read -r p',
  '( while s=$($lease sh -c "$line") && [ -n "$s" ]; do [ "$s" = alive ] || kill -"$s" "$p"; done',
  'kill -KILL "$p" || { [ -d /proc/"$p" ] && kill $PPID; } ) <&3 >/dev/null 2>&1 3<&- 4>&- 5>&- & w=$!',
  'read -r s; kill -KILL $w; printf "%s %s;" "$mark" "$s" >&5; } 2>/dev/null',
].join('; ');

/**
 * Keeps the connection: makes a folder only for this user, says where, answers questions about files, and removes the
 * folder when the other side is gone. dd, unlike head, reads not a byte too many from a pipe.
 */
const keep = [
  'umask 077; mark=$1 line=$2 most=$3; LC_ALL=C; export LC_ALL',
  setLease,
  `limit="timeout ${sshFileMaxSec}"; [ -n "$lease" ] || limit=`,
  'd=$(mktemp -d /tmp/faultline.XXXXXXXXXX) || exit 1; echo "FAULTLINE $d"',
  'while s=$($lease sh -c "$line") && [ -n "$s" ]; do case $s in alive) continue',
  '"read "*) $limit head -c "$most" -- "${s#read }" 2>&1 </dev/null',
  '"look "*) $limit ls -dL -- "${s#look }" 2>&1 >/dev/null </dev/null',
  '"place "*) set -- ${s#place }; dd bs=1 count="$1" 2>/dev/null | { cat >"$d/$2"; s=$?; cat >/dev/null; [ $s = 0 ]; }',
  'esac; printf "%s %s;" "$mark" $?; done; rm -rf "$d"',
];
const keepScript = `${keep.slice(0, 4).join('; ')}; ${keep.slice(4).join(';; ')}`;

const shell = (script: string, words: readonly string[]): string =>
  ['exec', 'sh', '-c', script, 'sh', ...words].map((word, at) => (at < 3 ? word : quoted(word))).join(' ');

/** What a line of the keeper's output says: its folder; undefined for what a login script may print besides. */
export function keptFolder(output: string): string | undefined {
  return /^FAULTLINE (\/tmp\/faultline\.[A-Za-z0-9]+)$/m.exec(output)?.[1];
}

/** The command of the connection itself. */
export function keeperCommand(mark: string, bytesMax: number): string {
  return shell(keepScript, [mark, readLine, String(bytesMax)]);
}

/** Runs a program under supervision; `mark` is a word that cannot occur in what it prints. */
export function supervisedCommand(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  mark: string,
): string {
  const assignments = Object.entries({ ...env, LC_ALL: 'C' }).map(([name, value]) => quoted(`${name}=${value}`));
  return ['exec', 'env', ...assignments, shell(supervise, [mark, becomeProgram, readLine, ...words]).slice(5)].join(
    ' ',
  );
}

/** Takes the mark and the status behind it out of what comes on standard error. */
export class MarkFilter {
  /** What stood behind the mark: a status, `missing` or `denied`; undefined as long as it has not come. */
  status: string | undefined;
  private readonly mark: Buffer;
  private held: Buffer = Buffer.alloc(0);

  constructor(mark: string) {
    this.mark = Buffer.from(mark);
  }

  /** Gives what is the program's own; holds back what may be the beginning of the mark. */
  push(chunk: Buffer): Buffer {
    if (this.status !== undefined) return Buffer.alloc(0);
    const bytes = Buffer.concat([this.held, chunk]);
    const at = bytes.indexOf(this.mark);
    if (at === -1) return this.hold(bytes, bytes.length - this.beginningAtEnd(bytes));
    this.status = /^ (\w+);/.exec(bytes.subarray(at + this.mark.length).toString('latin1'))?.[1];
    return this.hold(bytes, at);
  }

  /** What was held back, when no mark came. */
  rest(): Buffer {
    return this.status === undefined ? this.held : Buffer.alloc(0);
  }

  private hold(bytes: Buffer, from: number): Buffer {
    this.held = bytes.subarray(from);
    return bytes.subarray(0, from);
  }

  private beginningAtEnd(bytes: Buffer): number {
    for (let length = Math.min(bytes.length, this.mark.length - 1); length > 0; length -= 1) {
      if (bytes.subarray(bytes.length - length).equals(this.mark.subarray(0, length))) return length;
    }
    return 0;
  }
}
