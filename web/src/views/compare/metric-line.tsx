import type { ReactNode } from 'react';
import { usePage, useStores } from '../../store/use-store.ts';

type Props = {
  readonly row: { readonly id: string; readonly title: string; readonly decides: boolean };
  /** Its cells behind the name. */
  readonly children: ReactNode;
};

/** A metric's row in a table: a press on its name draws its runs. A star: it decides the verdict. */
export function MetricLine({ row, children }: Props): ReactNode {
  const { app } = useStores();
  const isChosen = usePage().metric === row.id;
  return (
    <tr className={isChosen ? 'is-chosen' : undefined}>
      <th scope="row">
        <button
          type="button"
          className="metric-name"
          aria-pressed={isChosen}
          onClick={() => app.page.set({ metric: row.id })}
        >
          {row.title}
          {row.decides ? ' *' : ''}
        </button>
      </th>
      {children}
    </tr>
  );
}
