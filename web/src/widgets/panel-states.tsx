import type { ReactNode } from 'react';

/** The shape of what is to come, without motion; says what is being waited for. */
export function Skeleton({ shape, what }: { readonly shape: 'chart' | 'table'; readonly what: string }): ReactNode {
  return (
    <div className={`skeleton skeleton-${shape}`} role="status">
      <span className="skeleton-word">{what} …</span>
    </div>
  );
}

/** Nothing to show: why, and what can be done about it. */
export function EmptyState({ why, children }: { readonly why: string; readonly children?: ReactNode }): ReactNode {
  return (
    <div className="state">
      <p>{why}</p>
      {children === undefined ? null : <div className="state-actions">{children}</div>}
    </div>
  );
}

/** It failed: what, what to do, what bpftrace said, and a way to try again. */
export function FailedState({
  message,
  remedy,
  stderr,
  children,
}: {
  readonly message: string;
  readonly remedy: string | undefined;
  readonly stderr: string | undefined;
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <div className="state state-failed" role="alert">
      <p className="state-message">{message}</p>
      {remedy === undefined ? null : <p>{remedy}</p>}
      {stderr === undefined || stderr === '' ? null : (
        <details>
          <summary>what bpftrace said</summary>
          <pre>{stderr}</pre>
        </details>
      )}
      {children === undefined ? null : <div className="state-actions">{children}</div>}
    </div>
  );
}
