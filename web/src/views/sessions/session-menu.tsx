import { type ReactNode, useState } from 'react';
import { type SessionRow, buildWord, selectFormats } from '../../store/select-sessions.ts';
import { useShown, useStores } from '../../store/use-store.ts';
import { Menu, type MenuItem } from '../../widgets/menu.tsx';
import { TextDialog } from '../../widgets/text-dialog.tsx';
import { saveFile } from './save-file.ts';

/** What the formats are for, where their names do not say it. */
const formatHints: Readonly<Record<string, string>> = {
  archive: 'all of it; another Faultline imports it',
  jsonl: 'a line an event; Faultline imports it too',
  'chrome-json': 'chrome://tracing, Perfetto',
  perfetto: 'ui.perfetto.dev',
  folded: 'flame graphs',
  pprof: 'go tool pprof',
  openmetrics: 'Prometheus',
  text: 'for a mail to a kernel list',
};

/** The session in the formats of other tools. */
export function ExportMenu({ id }: { readonly id: string }): ReactNode {
  const { app } = useStores();
  const formats = useShown(selectFormats, 'first');
  return <Menu label="Export" icon="down" items={() => exportItems(formats, id, app)} />;
}

/** All that can be done to a session of the list. */
export function SessionMenu({ row }: { readonly row: SessionRow }): ReactNode {
  const { app } = useStores();
  const formats = useShown(selectFormats, 'first');
  const [asked, setAsked] = useState<'name' | 'label'>();
  const { id, isPinned, title } = row;
  const { recordings } = app.recorded;
  const items = (): readonly MenuItem[] => [
    { kind: 'action', label: 'Open', onPick: () => app.page.set({ session: id }) },
    {
      kind: 'action',
      label: isPinned ? 'Unpin' : 'Pin',
      hint: 'a pinned session stays, whatever the bounds of the store say',
      onPick: () => void recordings.pin(id, !isPinned),
    },
    { kind: 'action', label: 'Rename', onPick: () => setAsked('name') },
    { kind: 'action', label: 'Label', hint: 'to find it by, and to compare by', onPick: () => setAsked('label') },
    {
      kind: 'action',
      label: 'Notes',
      hint: 'what people wrote about it',
      onPick: () => void recordings.writing.openNotes(id, title),
    },
    {
      kind: 'action',
      label: 'Only this build',
      hint: 'the sessions whose build has this name',
      onPick: () => app.page.set({ find: buildWord(row.build) }),
    },
    {
      kind: 'action',
      label: 'Delete',
      hint: 'can be undone for some minutes',
      onPick: () => void recordings.remove(id, title),
    },
    { kind: 'heading', label: 'Export as' },
    ...exportItems(formats, id, app),
  ];
  const known = { name: row.name ?? '', label: row.label === '–' ? '' : row.label };
  return (
    <>
      <Menu label="More" icon="more" look="icon" items={items} />
      {asked === undefined ? null : (
        <TextDialog
          title={asked === 'name' ? `Rename ${title}` : `Label ${title}`}
          first={known[asked]}
          maxLength={120}
          // Nothing written takes it away.
          onDone={(text) => void recordings.edit(id, { [asked]: text === '' ? null : text })}
          onClose={() => setAsked(undefined)}
        />
      )}
    </>
  );
}

function exportItems(
  formats: readonly string[],
  id: string,
  app: ReturnType<typeof useStores>['app'],
): readonly MenuItem[] {
  return formats.map((format) => ({
    kind: 'action',
    label: formatHints[format] === undefined ? format : `${format} – ${formatHints[format]}`,
    onPick: () => void app.recorded.recordings.export(id, format, saveFile),
  }));
}
