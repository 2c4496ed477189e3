import type { ReactNode } from 'react';
import { selectFaultPath, unknownFigures } from '../../store/select-fault-path.ts';
import { isSideBySide } from '../../store/side-by-side.ts';
import { usePage, useShown } from '../../store/use-store.ts';

/** The figures that decide: how many faults, how many a GiB, how long altogether, how many violations. */
export function FiguresRow(): ReactNode {
  const { figures: known, status } = useShown(selectFaultPath, 'slow');
  const isTwo = isSideBySide(usePage());
  if (status.kind !== 'ready' && !isTwo) return null;
  // Where the other column has figures this one keeps their place, so that panels stand face to face.
  const figures = status.kind === 'ready' ? known : unknownFigures;
  return (
    <dl className="figures">
      {figures.map(({ title, value, exact, note, tone }) => (
        <div key={title} className={`figure figure-${tone}`}>
          <dt>{title}</dt>
          <dd title={exact}>
            {tone === 'bad' ? <span aria-hidden="true">✕ </span> : null}
            {value}
          </dd>
          <small>{note}</small>
        </div>
      ))}
    </dl>
  );
}
