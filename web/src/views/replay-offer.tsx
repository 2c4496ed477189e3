import type { ReactNode } from 'react';
import type { TargetView } from '@faultline/shared';
import { useStores } from '../store/use-store.ts';
import { Button } from '../widgets/button.tsx';

/** Where the machine can't be traced: see the page move with a recorded sample instead. */
export function ReplayOffer({ replay, why }: { readonly replay: TargetView; readonly why: string }): ReactNode {
  const { app } = useStores();
  const play = (): void => {
    app.page.set({ target: replay.id, page: 'live' });
    void app.startDefaults(replay.id);
  };
  return (
    <div className="offer" role="note">
      <span>{why}</span>
      <Button icon="play" label="Try the recorded sample" onClick={play} />
      <Button label="See the checks" onClick={() => app.page.set({ page: 'probes' })} />
    </div>
  );
}
