import type { ReactNode } from 'react';
import { selectMarkDraft } from '../../store/select-writing.ts';
import { useShown, useStores } from '../../store/use-store.ts';
import { TextDialog } from '../../widgets/text-dialog.tsx';

/** Asks what is marked, whichever page one is on; the moment was chosen when it was opened. */
export function MarkDialog(): ReactNode {
  const { app } = useStores();
  const draft = useShown(selectMarkDraft, 'first');
  const { writing } = app.recorded.recordings;
  if (draft === undefined) return null;
  const { words, atMs, problem } = draft;
  return (
    <TextDialog
      key={atMs}
      title={`Mark ${words}`}
      first=""
      maxLength={4000}
      problem={problem === undefined ? undefined : [problem.message, problem.remedy ?? ''].join(' ').trim()}
      isKept
      onDone={(text) => void writing.finishMark(text)}
      onClose={() => writing.dropMark()}
    />
  );
}
