/** What a reader of one run's figures must know: each kind of message once, with how often it was found. */
import { type Finding, runFindingsMax } from '@faultline/shared';

export class Findings {
  private readonly found = new Map<string, Finding>();

  /** Notes a finding; the same code and subject again only raises its count and renews its message. */
  add(finding: Omit<Finding, 'count'>, subject: string, count = 1): void {
    const key = `${finding.code} ${subject}`;
    const before = this.found.get(key);
    if (before === undefined && this.found.size >= runFindingsMax) return;
    this.found.set(key, { ...finding, atMs: before?.atMs ?? finding.atMs, count: (before?.count ?? 0) + count });
  }

  /** All findings, the lossy ones first. */
  list(): Finding[] {
    const all = [...this.found.values()];
    return [...all.filter((one) => one.level === 'lossy'), ...all.filter((one) => one.level === 'note')];
  }

  /** Whether one of them says that figures are affected. */
  get areLossy(): boolean {
    return [...this.found.values()].some((one) => one.level === 'lossy');
  }
}
