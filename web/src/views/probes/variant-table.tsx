import type { ReactNode } from 'react';
import type { StreamCard } from '../../store/select-probes.ts';

/** The scripts of a stream: which one is chosen on this kernel, and why not the others. */
export function VariantTable({ card }: { readonly card: StreamCard }): ReactNode {
  const { plan, stream } = card;
  return (
    <table className="plain-table variants">
      <thead>
        <tr>
          <th>variant</th>
          <th>attaches by</th>
          <th>script</th>
          <th>fits this kernel</th>
        </tr>
      </thead>
      <tbody>
        {stream.variants.map((variant) => {
          const planned = plan?.variants.find(({ name }) => name === variant.name);
          return (
            <tr key={variant.name}>
              <th scope="row">{variant.name}</th>
              <td>{variant.attach}</td>
              <td>
                <code>{variant.script}</code>
              </td>
              <td>{planned === undefined ? '…' : fitWords(planned, plan?.chosen === variant.name)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function fitWords(
  planned: { readonly fits: boolean; readonly reasons: readonly string[] },
  isChosen: boolean,
): ReactNode {
  if (isChosen) return <b>✓ chosen</b>;
  if (planned.fits) return '✓ fits, but an earlier one does too';
  return <span className="quiet">✕ {planned.reasons.join('; ')}</span>;
}
