import type { ReactNode } from 'react';
import {
  type CandidateComparison,
  type ComparedSideView,
  formatBytes,
  formatPlural,
  verdictSigns,
  verdictWords,
  eraTitle,
} from '@faultline/shared';
import type { Compared } from '../../store/select-compare.ts';
import { type SideName, sideMarks } from '../../store/select-compare-charts.ts';
import { MarkGlyph } from '../../widgets/mark-glyph.tsx';

/** The verdict in one sentence, who the sides are, and the gate. */
export function VerdictSection({ answer, candidate }: Compared): ReactNode {
  const { verdict, sentence, findings } = candidate;
  return (
    <section className={`verdict-box verdict-${verdict}`} aria-label="verdict">
      <p className="verdict-sentence">
        <span className={`verdict-sign verdict-sign-${verdict}`} title={verdictWords[verdict]} aria-hidden="true">
          {verdictSigns[verdict]}
        </span>
        {sentence}
      </p>
      {findings.map((finding) => (
        <p key={finding} className="verdict-finding">
          ✕ {finding}
        </p>
      ))}
      <div className="verdict-sides">
        <SideFacts side="baseline" view={answer.baseline} />
        <SideFacts side="candidate" view={answer.candidate} />
      </div>
      <Gate candidate={candidate} />
    </section>
  );
}

function SideFacts({ side, view }: { readonly side: SideName; readonly view: ComparedSideView }): ReactNode {
  const { title, release, era, work, runs, isEmulated } = view;
  const size = work?.barBytes === undefined ? '' : ` of ${formatBytes(work.barBytes)}`;
  const facts = [
    release === title ? undefined : release,
    formatPlural(runs.length, 'run'),
    era === undefined ? undefined : eraTitle(era),
    work === undefined ? undefined : `${work.name}${size}${work.isMisaligned === true ? ', misaligned' : ''}`,
  ];
  return (
    <p>
      <MarkGlyph {...sideMarks[side]} /> <b className={`side-title-${side}`}>{title}</b>{' '}
      <span className="quiet">{facts.filter((fact) => fact !== undefined).join(' · ')}</span>
      {isEmulated ? <span className="tag">emulated: counts and ratios, not latencies</span> : null}
    </p>
  );
}

/** What differs between the sides and whether it matters: blocking differences first. */
function Gate({ candidate: { gate } }: { readonly candidate: CandidateComparison }): ReactNode {
  const blocking = gate.filter(({ level }) => level === 'blocking');
  const notes = gate.filter(({ level }) => level === 'note');
  return (
    <div className="gate" role="group" aria-label="gate">
      <p className={blocking.length === 0 ? 'gate-open' : 'gate-shut'}>
        {blocking.length === 0
          ? `✓ The sides may be compared${notes.length === 0 ? '; nothing else differs' : `; ${formatPlural(notes.length, 'thing')} to know:`}`
          : `✕ The sides may not be compared: ${formatPlural(blocking.length, 'reason')}`}
      </p>
      <ul>
        {[...blocking, ...notes].map(({ name, level, message }) => (
          <li key={`${name} ${message}`} className={`gate-${level}`}>
            <GateMessage message={message} />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Longer ones are lists behind a colon: they are opened by who wants them. */
const longMin = 150;

function GateMessage({ message }: { readonly message: string }): ReactNode {
  const colon = message.indexOf(': ');
  if (message.length < longMin || colon < 0) return message;
  return (
    <details>
      <summary>{message.slice(0, colon)} …</summary>
      {message.slice(colon + 2)}
    </details>
  );
}
