import type { ReactNode } from 'react';
import { type Choice, withChoice } from '../../store/select-compare.ts';
import { type SideName, sideMarks } from '../../store/select-compare-charts.ts';
import { usePage, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { MarkGlyph } from '../../widgets/mark-glyph.tsx';

type Props = { readonly side: SideName; readonly choices: readonly Choice[] };

/** What a side is made of: all runs of a build, or sessions one by one. */
export function SideChooser({ side, choices }: Props): ReactNode {
  const { app } = useStores();
  const words = usePage()[side];
  const change = (next: readonly string[]): void => app.page.set({ [side]: next });
  const add = (word: string): void => {
    const choice = choices.find((one) => one.word === word);
    if (choice !== undefined) change(withChoice(words, choice));
  };
  const optionsOf = (kind: Choice['kind']): ReactNode =>
    choices
      .filter((choice) => choice.kind === kind && !words.includes(choice.word))
      .map(({ word, label }) => (
        <option key={word} value={word}>
          {label}
        </option>
      ));
  const hasBuild = words.some((word) => word.includes(':'));
  return (
    <div className={`side side-${side}`} role="group" aria-label={side}>
      <span className="side-name">
        <MarkGlyph {...sideMarks[side]} />
        {side}
      </span>
      {words.map((word) => (
        <Chosen
          key={word}
          label={choices.find((choice) => choice.word === word)?.label ?? word}
          word={word}
          onRemove={() => change(words.filter((one) => one !== word))}
        />
      ))}
      <select
        aria-label={`choose the ${side}`}
        value=""
        onChange={(event) => add(event.target.value)}
        disabled={choices.length === 0}
      >
        <option value="">{placeholder(words.length, hasBuild)}</option>
        <optgroup label="all runs of a build">{optionsOf('build')}</optgroup>
        <optgroup label="one session">{optionsOf('session')}</optgroup>
      </select>
    </div>
  );
}

function placeholder(count: number, hasBuild: boolean): string {
  if (count === 0) return 'choose …';
  return hasBuild ? 'another …' : 'one more session …';
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
