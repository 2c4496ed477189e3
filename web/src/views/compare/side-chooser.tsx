import type { ReactNode } from 'react';
import { compareSidesMax, formatExact } from '@faultline/shared';
import { baselineWith, candidatesWith, candidatesWithout, type Choice, partsOf } from '../../store/select-compare.ts';
import { type SideName, sideMarks } from '../../store/select-compare-charts.ts';
import { usePage, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { MarkGlyph } from '../../widgets/mark-glyph.tsx';

type Props = { readonly choices: readonly Choice[] };

/** What the baseline is made of: all runs of a build, or sessions one by one. */
export function BaselineChooser({ choices }: Props): ReactNode {
  const { app } = useStores();
  const { baseline } = usePage();
  const hasBuild = baseline.some((word) => word.includes(':'));
  return (
    <SideGroup side="baseline">
      {baseline.map((word) => (
        <Chosen
          key={word}
          label={labelOf(choices, word)}
          word={word}
          onRemove={() => app.page.set({ baseline: baseline.filter((one) => one !== word) })}
        />
      ))}
      <ChoiceList
        side="baseline"
        first={moreWords(baseline, hasBuild ? 'another …' : 'one more session …')}
        choices={choices}
        taken={baseline}
        isFull={false}
        onChoose={(choice) => app.page.set({ baseline: baselineWith(baseline, choice) })}
      />
    </SideGroup>
  );
}

/** The candidates: builds, each a candidate, and sessions, those of one build together. */
export function CandidateChooser({ choices }: Props): ReactNode {
  const { app } = useStores();
  const { candidate } = usePage();
  return (
    <SideGroup side="candidate">
      {candidate.map((word, at) => (
        <span key={word} className="chosen-side">
          {candidate.length > 1 ? <span className="quiet">{formatExact(at + 1)}</span> : null}
          {partsOf(word).map((part) => (
            <Chosen
              key={part}
              label={labelOf(choices, part)}
              word={part}
              onRemove={() => app.page.set({ candidate: candidatesWithout(candidate, at, part), pick: undefined })}
            />
          ))}
        </span>
      ))}
      <ChoiceList
        side="candidate"
        first={moreWords(candidate, 'one more …')}
        choices={choices}
        taken={candidate.flatMap(partsOf)}
        isFull={candidate.length >= compareSidesMax - 1}
        onChoose={(choice) => app.page.set({ candidate: candidatesWith(candidate, choice, choices) })}
      />
    </SideGroup>
  );
}

function SideGroup({ side, children }: { readonly side: SideName; readonly children: ReactNode }): ReactNode {
  return (
    <div className={`side side-${side}`} role="group" aria-label={side}>
      <span className="side-name">
        <MarkGlyph {...sideMarks[side]} />
        {side}
      </span>
      {children}
    </div>
  );
}

function moreWords(words: readonly string[], more: string): string {
  return words.length === 0 ? 'choose …' : more;
}

function labelOf(choices: readonly Choice[], word: string): string {
  return choices.find((choice) => choice.word === word)?.label ?? word;
}

function ChoiceList({
  side,
  first,
  choices,
  taken,
  isFull,
  onChoose,
}: {
  readonly side: SideName;
  readonly first: string;
  readonly choices: readonly Choice[];
  readonly taken: readonly string[];
  readonly isFull: boolean;
  readonly onChoose: (choice: Choice) => void;
}): ReactNode {
  const optionsOf = (kind: Choice['kind']): ReactNode =>
    choices
      .filter((choice) => choice.kind === kind && !taken.includes(choice.word))
      .map(({ word, label }) => (
        <option key={word} value={word}>
          {label}
        </option>
      ));
  return (
    <select
      aria-label={`choose the ${side}`}
      value=""
      onChange={(event) => {
        const choice = choices.find((one) => one.word === event.target.value);
        if (choice !== undefined) onChoose(choice);
      }}
      disabled={choices.length === 0 || isFull}
      title={isFull ? `a comparison has ${formatExact(compareSidesMax - 1)} candidates at most` : undefined}
    >
      <option value="">{first}</option>
      <optgroup label="all runs of a build">{optionsOf('build')}</optgroup>
      <optgroup label="one session">{optionsOf('session')}</optgroup>
    </select>
  );
}

function Chosen({
  label,
  word,
  onRemove,
}: {
  readonly label: string;
  readonly word: string;
  readonly onRemove: () => void;
}): ReactNode {
  return (
    <span className="chosen" title={word}>
      <span>{label}</span>
      <Button look="icon" icon="close" label={`Leave out ${label}`} onClick={onRemove} />
    </span>
  );
}
