/** Why a bpftrace process failed, from its exit and its stderr: a kind for programs, a sentence and a remedy for people. */
import type { Failure, FailureKind } from '@faultline/shared';
import type { Exit } from '../targets/target.ts';

/** Where it happened, for the sentence. */
export type FailureContext = {
  readonly probe: string;
  readonly script: string;
  readonly wasReady: boolean;
  readonly stderr: string;
};

type Sentence = { readonly kind: FailureKind; readonly what: string; readonly remedy: string };

/** Turns the end of a process that should not have ended into a failure. */
export function explainExit(exit: Exit, context: FailureContext): Failure {
  return failure(exit.problem === undefined ? explain(exit, context) : explainProblem(exit.problem), context);
}

/** A failure that the server itself found (no READY, silence, flood). */
export function failure(sentence: Sentence, context: FailureContext): Failure {
  const stderr = context.stderr.trim();
  return {
    kind: sentence.kind,
    message: `${context.probe}: ${sentence.what}`,
    remedy: sentence.remedy,
    ...(stderr === '' ? {} : { stderr }),
  };
}

function explainProblem(problem: NonNullable<Exit['problem']>): Sentence {
  switch (problem.kind) {
    case 'not-found':
      return { kind: 'bpftrace-missing', what: problem.message, remedy: 'Install it: sudo apt-get install bpftrace' };
    case 'denied':
      return {
        kind: 'not-permitted',
        what: problem.message,
        remedy: 'Start Faultline as root, or with --bpftrace-prefix "sudo -n".',
      };
    default:
      return { kind: 'target-lost', what: problem.message, remedy: 'Look at the target, then start the probe again.' };
  }
}

function explain(exit: Exit, context: FailureContext): Sentence {
  if (context.wasReady) return explainEnd(exit);
  return explainRefusal(context) ?? explainEnd(exit);
}

/** The texts of 0.17, 0.23 and 0.27 for what goes wrong before READY. */
function explainRefusal({ stderr, script }: FailureContext): Sentence | undefined {
  const tracepoint = /tracepoint not found: (\S+)|No matches for tracepoint (\S+?)\.?(?:\s|$)/.exec(stderr);
  if (tracepoint !== null) {
    return {
      kind: 'tracepoint-missing',
      what: `this kernel has no tracepoint ${tracepoint[1] ?? tracepoint[2] ?? ''}`,
      remedy: 'Check that tracefs is mounted (faultline doctor); otherwise this kernel was built without it.',
    };
  }
  if (
    /a password is required|not allowed to execute|no tty present|not in the sudoers|not allowed to set/i.test(stderr)
  ) {
    return {
      kind: 'not-permitted',
      what: 'the configured prefix refused to run bpftrace',
      remedy:
        'Allow it without a password, e.g. in sudoers: YOU ALL=(root) NOPASSWD:SETENV: /usr/bin/bpftrace, /usr/bin/kill',
    };
  }
  if (/only supports running as the root|Missing CAP_|must be run as root/i.test(stderr)) {
    return {
      kind: 'not-permitted',
      what: 'bpftrace needs root (or CAP_BPF, CAP_PERFMON and CAP_DAC_READ_SEARCH)',
      remedy: 'Start Faultline as root, or with --bpftrace-prefix "sudo -n".',
    };
  }
  if (
    /Error attaching probe|No matches for (?:kprobe|kretprobe|fentry|fexit|kfunc)|not available for your kernel|not traceable|no BTF data for/i.test(
      stderr,
    )
  ) {
    return {
      kind: 'function-missing',
      what: `${missingFunction(stderr) ?? 'a function that the script needs'} cannot be traced on this kernel`,
      remedy:
        'Was its module unloaded meanwhile? See the planner on the Probes page: another variant may fit this kernel.',
    };
  }
  if (/\.bt:\d+:\d+|stdin:\d+:\d+|ERROR: syntax error|^\S+:\d+:\d+(?:-\d+)?: ERROR/m.test(stderr)) {
    return {
      kind: 'script-error',
      what: `this bpftrace does not accept ${script}`,
      remedy:
        'The message names line and column. If the file is unchanged, please report it with the bpftrace version.',
    };
  }
  if (/object load failure|Error loading program|verifier|failed to load/i.test(stderr)) {
    return {
      kind: 'load-failed',
      what: 'the kernel refused the program',
      remedy: 'The message is the kernel verifier’s. Please report it with kernel release and bpftrace version.',
    };
  }
  return undefined;
}

/**
 * The function that bpftrace names: 0.17 and 0.23 as 'kprobe:NAME' or kprobe:NAME, and with fentry as "no BTF data for NAME" (its module is not
 * loaded); 0.27 as "No matches for kprobe NAME".
 */
function missingFunction(stderr: string): string | undefined {
  const attached = /Error attaching probe: '?k(?:ret)?(?:probe|func):(?:\w+:)?(\w+)/.exec(stderr)?.[1];
  return attached ?? /(?:No matches for \w+ (?:\w+:)*|no BTF data for )(\w+)/.exec(stderr)?.[1];
}

function explainEnd(exit: Exit): Sentence {
  if (exit.signal !== undefined) {
    return {
      kind: 'killed',
      what: `bpftrace was killed by ${exit.signal}`,
      remedy:
        'Somebody, or the kernel’s out-of-memory killer (see dmesg), ended it. Counts are those of the last heartbeat. Start it again.',
    };
  }
  return {
    kind: 'exited',
    what: `bpftrace ended by itself with status ${exit.code ?? 'unknown'}`,
    remedy: 'What it said last is below. Start it again; if it happens again, run the script by hand.',
  };
}
