import { type ReactNode, useState } from 'react';
import { type MatrixCellView, type MatrixView, selectMatrix } from '../../store/select-matrix.ts';
import { sideMarks } from '../../store/select-compare-charts.ts';
import { useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { MarkGlyph } from '../../widgets/mark-glyph.tsx';
import { FailedState, Skeleton } from '../../widgets/panel-states.tsx';
import { ComparePanel } from './compare-panel.tsx';

/** Kernels × workloads as one table, a comparison a cell: where one begins, before sides are chosen. */
export function MatrixPanel(): ReactNode {
  const { app } = useStores();
  const shown = useShown(selectMatrix, 'first');
  if (shown === undefined) return null;
  const isReady = shown.kind === 'ready';
  return (
    <div className="compare-whole matrix">
      <ComparePanel
        id="matrix"
        title="matrix"
        unit="runs recorded of those wanted, and what they say against the baseline"
        table={isReady ? shown.view.table : undefined}
        isTable
      >
        {shown.kind === 'loading' ? <Skeleton shape="table" what="counting the runs of each cell" /> : null}
        {shown.kind === 'failed' ? (
          <FailedState message={shown.problem.message} remedy={shown.problem.remedy} stderr={undefined}>
            <Button label="Try again" onClick={() => void app.matrix.refresh()} />
          </FailedState>
        ) : null}
        {isReady ? <Matrix view={shown.view} /> : null}
      </ComparePanel>
    </div>
  );
}

function Matrix({ view }: { readonly view: MatrixView }): ReactNode {
  const { file, sentence, command, kernels, rows, remarks } = view;
  return (
    <>
      <p className="matrix-sentence" role="status">
        {sentence}
      </p>
      <div className="scroll-x">
        <table className="matrix-table">
          <thead>
            <tr>
              <th scope="col">workload</th>
              {kernels.map((kernel, at) => (
                <th key={kernel} scope="col">
                  <MarkGlyph {...sideMarks[at === 0 ? 'baseline' : 'candidate']} /> {kernel}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ title, cells }) => (
              <tr key={title}>
                <th scope="row">{title}</th>
                {cells.map((cell) => (
                  <td key={cell.kernel}>
                    <Cell cell={cell} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {command === undefined ? null : <Fill command={command} />}
      {remarks.length === 0 ? null : <Remarks remarks={remarks} />}
      <p className="matrix-file">
        A press on a cell opens its comparison. The cells are those of <code>{file}</code>.
      </p>
    </>
  );
}

function Cell({ cell }: { readonly cell: MatrixCellView }): ReactNode {
  const { app } = useStores();
  const { state, runs, share, sign, word, verdict, remarkCount, spoken, opens } = cell;
  const content = (
    <>
      <span className={verdict === undefined ? 'matrix-word' : `matrix-word metric-${verdict}`}>
        {sign === '' ? null : <span aria-hidden="true">{sign} </span>}
        {word}
      </span>
      <span className="matrix-runs">
        {runs}
        {remarkCount === 0 ? null : (
          <span className="matrix-remarked"> · {remarkCount === 1 ? 'a remark' : 'remarks'}</span>
        )}
      </span>
      {state === 'partly' ? <progress value={share} max={1} aria-hidden="true" /> : null}
    </>
  );
  const look = `matrix-cell matrix-${state}${verdict === undefined ? '' : ` matrix-${verdict}`}`;
  if (opens === undefined)
    return (
      <div className={look} title={spoken}>
        {content}
      </div>
    );
  return (
    <button type="button" className={look} title={spoken} aria-label={spoken} onClick={() => app.page.set(opens)}>
      {content}
    </button>
  );
}

/** What makes the missing runs; it goes on where it was interrupted. */
function Fill({ command }: { readonly command: string }): ReactNode {
  const [said, setSaid] = useState('');
  const copy = (): void => {
    navigator.clipboard.writeText(command).then(
      () => setSaid('copied'),
      () => setSaid('The browser did not allow copying: select the command instead.'),
    );
  };
  return (
    <p className="matrix-fill">
      <span>This makes the missing runs, and none twice; cells fill here as it goes on:</span>
      <code>{command}</code>
      <Button label="Copy the command" icon="copy" onClick={copy} />
      <span className="quiet" role="status">
        {said}
      </span>
    </p>
  );
}

function Remarks({ remarks }: Pick<MatrixView, 'remarks'>): ReactNode {
  return (
    <section className="matrix-remarks" aria-label="remarks">
      <h3>Remarks</h3>
      <dl>
        {remarks.map(({ where, notes }) => (
          <div key={where}>
            <dt>{where}</dt>
            {notes.map((note) => (
              <dd key={note}>{note}</dd>
            ))}
          </div>
        ))}
      </dl>
    </section>
  );
}
