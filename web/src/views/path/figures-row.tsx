import type { ReactNode } from 'react';
import { selectFaultPath } from '../../store/select-fault-path.ts';
import { useShown } from '../../store/use-store.ts';

/** The figures that decide: how many faults, how many a GiB, how long altogether, how many violations. */
export function FiguresRow(): ReactNode {
  const { figures, status } = useShown(selectFaultPath, 'slow');
  if (status.kind !== 'ready') return null;
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
