/** How new the figures are. */
import type { LiveSession } from '@faultline/shared';

/** The newest kernel time that any run has reported; 0 before the first. */
export function newestKernelNs(session: LiveSession): number {
  let newest = 0;
  for (const data of session.runs.values()) newest = Math.max(newest, data.lastNs ?? 0);
  return newest;
}
