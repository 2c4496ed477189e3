import type { ReactNode } from 'react';
import { selectFormats } from '../../store/select-sessions.ts';
import { useShown, useStores } from '../../store/use-store.ts';
import { Menu, type MenuItem } from '../../widgets/menu.tsx';
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
export function SessionMenu({ id, isPinned }: { readonly id: string; readonly isPinned: boolean }): ReactNode {
  const { app } = useStores();
  const formats = useShown(selectFormats, 'first');
  const { recordings } = app.recorded;
  const items = (): readonly MenuItem[] => [
    { kind: 'action', label: 'Open', onPick: () => app.page.set({ session: id }) },
    {
      kind: 'action',
      label: isPinned ? 'Unpin' : 'Pin',
      hint: 'a pinned session stays, whatever the bounds of the store say',
      onPick: () => void recordings.pin(id, !isPinned),
    },
    { kind: 'action', label: 'Delete', hint: 'can be undone for a while', onPick: () => recordings.remove(id) },
    { kind: 'heading', label: 'Export as' },
    ...exportItems(formats, id, app),
  ];
  return <Menu label="More" icon="more" look="icon" items={items} />;
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
