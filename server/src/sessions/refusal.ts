/** Why a command was not carried out: an expected answer, said once in words and mapped once to HTTP. */
export type Refusal = {
  readonly kind:
    | 'unknown-target'
    | 'unknown-probe'
    | 'unknown-stream'
    | 'unknown-run'
    | 'unknown-session'
    | 'unknown-machine'
    | 'unknown-note'
    | 'bad-parameter'
    | 'already-running'
    | 'too-many-runs'
    | 'no-variant'
    | 'target-problem'
    | 'lab-problem'
    | 'matrix-problem'
    | 'store-problem'
    | 'store-in-use'
    | 'store-fixed'
    | 'session-live'
    | 'session-exists'
    | 'session-unreadable'
    | 'not-running';
  readonly message: string;
  readonly remedy: string;
};
