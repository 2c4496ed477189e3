import type { ReactNode } from 'react';
import { selectCanMark, selectMarkedWords } from '../../store/select-writing.ts';
import { useColumn, useShown } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { useMark } from './use-mark.ts';

/** Marks a moment; says that it has been done. */
export function MarkButton({ hint }: { readonly hint: string }): ReactNode {
  const mark = useMark();
  const column = useColumn();
  const words = useShown(selectMarkedWords, 'first');
  return (
    <>
      <span className="quiet" role="status">
        {words}
      </span>
      <Button icon="flag" label="Mark" hint={hint} onClick={() => mark(column)} />
    </>
  );
}

/** The same where something is traced and written down; nothing elsewhere. */
export function LiveMarkButton(): ReactNode {
  const canMark = useShown(selectCanMark, 'first');
  return canMark ? <MarkButton hint="m; this moment of the recording, or the one at the cursor of the charts" /> : null;
}
