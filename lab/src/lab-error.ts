/** Why the lab could not do what was asked: never to be mistaken for what a kernel or a workload did. */
export type LabError = {
  /** broken: the lab's own fault, exit status 69. unknown: what was asked for is not there. stopped: somebody ended it. */
  readonly kind: 'broken' | 'unknown' | 'stopped';
  readonly message: string;
  readonly remedy: string;
};

/** What is going on, for whoever waits. Bytes where something is downloaded or written. */
export type LabStage = { readonly stage: string; readonly doneBytes?: number; readonly totalBytes?: number };

/** Is told of every stage as it begins, and of its progress; must not throw. */
export type TellStage = (stage: LabStage) => void;
