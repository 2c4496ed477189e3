import type { ReactNode } from 'react';
import type { Preflight, PreflightCheck } from '@faultline/shared';
import type { Loaded } from '../../store/loaded.ts';
import { useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { FailedState, Skeleton } from '../../widgets/panel-states.tsx';

const words: Readonly<Record<PreflightCheck['status'], string>> = {
  ok: '✓ ok',
  warning: '! note',
  failed: '✕ failed',
  unknown: '? unknown',
};

/** What was checked before tracing, and how to cure what failed. */
export function PreflightTable({
  preflight,
  targetId,
}: {
  readonly preflight: Loaded<Preflight> | undefined;
  readonly targetId: string;
}): ReactNode {
  const { app } = useStores();
  const again = (
    <Button
      label="Check again"
      onClick={() => void app.inspect(targetId, 'again')}
      isBusy={preflight?.kind === 'loading'}
    />
  );
  if (preflight === undefined || preflight.kind === 'loading')
    return <Skeleton shape="table" what="checking this target" />;
  if (preflight.kind === 'failed') {
    return (
      <FailedState message={preflight.problem.message} remedy={preflight.problem.remedy} stderr={undefined}>
        {again}
      </FailedState>
    );
  }
  return (
    <div className="preflight">
      <table className="plain-table">
        <thead>
          <tr>
            <th>check</th>
            <th>result</th>
            <th>found</th>
            <th>remedy</th>
          </tr>
        </thead>
        <tbody>
          {preflight.value.checks.map((check) => (
            <tr key={check.name} className={`check-${check.status}`}>
              <th scope="row">{check.title}</th>
              <td className="check-word">{words[check.status]}</td>
              <td>{check.found}</td>
              <td>
                {check.remedy}
                {check.command === undefined ? null : <code className="command">{check.command}</code>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {again}
    </div>
  );
}
