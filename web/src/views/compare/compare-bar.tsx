import { type ReactNode, useState } from 'react';
import { isMatrixShown } from '../../store/matrix-store.ts';
import { type ComparePage, swapped } from '../../store/select-compare.ts';
import { usePage, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { Menu, type MenuItem } from '../../widgets/menu.tsx';
import { saveFile } from '../sessions/save-file.ts';
import { SavedBar, SavedMenu } from './saved-bar.tsx';
import { BaselineChooser, CandidateChooser } from './side-chooser.tsx';

const copies = [
  { format: 'text', label: 'For a kernel list', hint: 'plain text, 72 columns' },
  { format: 'benchstat', label: 'For benchstat', hint: 'a line a run: benchstat -col build FILE' },
  { format: 'markdown', label: 'As Markdown', hint: 'for an issue' },
] as const;

const downloads = [
  { format: 'html', label: 'Report, one HTML file', hint: 'can be mailed: needs no network' },
  { format: 'markdown', label: 'Markdown', hint: 'for an issue' },
  { format: 'json', label: 'JSON', hint: 'every figure' },
  { format: 'csv', label: 'CSV', hint: 'the table of metrics' },
  { format: 'text', label: 'Plain text', hint: '72 columns' },
  { format: 'benchstat', label: 'benchstat', hint: 'a line a run' },
  { format: 'perfetto', label: 'Perfetto trace', hint: 'the runs of all sides, from a common zero: ui.perfetto.dev' },
] as const;

/** The choice of both sides, and what can be done with the comparison. */
export function CompareBar({ view }: { readonly view: ComparePage }): ReactNode {
  const { app } = useStores();
  const page = usePage();
  const isReady = view.state.kind === 'ready';
  return (
    <div className="compare-bar" role="toolbar" aria-label="sides">
      {page.saved === undefined ? (
        <>
          <BaselineChooser choices={view.choices} />
          <Button
            icon="swap"
            label="Swap"
            hint="The baseline becomes the candidate"
            onClick={() => app.page.set(swapped(page))}
          />
          <CandidateChooser choices={view.choices} />
        </>
      ) : (
        <SavedBar />
      )}
      <span className="compare-tools">
        {isMatrixShown(page) ? null : (
          <Button
            label="All comparisons"
            hint="The matrix, and the choice of other sides"
            onClick={() => app.page.set({ saved: undefined, baseline: [], candidate: [], pick: undefined })}
          />
        )}
        {isReady ? <PassOn /> : null}
        <SavedMenu canSave={isReady && page.saved === undefined} />
      </span>
    </div>
  );
}

function PassOn(): ReactNode {
  const { app } = useStores();
  const [said, setSaid] = useState('');
  const copy = (format: string, label: string): void => {
    void app.comparisons.file(format, (bytes) => {
      bytes
        .text()
        .then((text) => navigator.clipboard.writeText(text))
        .then(
          () => setSaid(`${label}: copied`),
          () => setSaid('The browser did not allow copying: download it instead.'),
        );
    });
  };
  const copyItems = (): readonly MenuItem[] =>
    copies.map(({ format, label, hint }) => ({ kind: 'action', label, hint, onPick: () => copy(format, label) }));
  const saveItems = (): readonly MenuItem[] =>
    downloads.map(({ format, label, hint }) => ({
      kind: 'action',
      label,
      hint,
      onPick: () =>
        void app.comparisons.file(format, (bytes, name) => {
          setSaid('');
          saveFile(new Blob([bytes], { type: 'application/octet-stream' }), name);
        }),
    }));
  return (
    <>
      <span className="quiet" role="status">
        {said}
      </span>
      <Button label="Compare again" hint="Runs may have been added" onClick={() => void app.comparisons.again()} />
      <Menu label="Copy" icon="copy" items={copyItems} />
      <Menu label="Download" icon="down" items={saveItems} />
    </>
  );
}
