import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.tsx';

type Props = {
  readonly label: string;
  readonly onClick: () => void;
  readonly icon?: IconName;
  /** Only the drawing is shown; the label is read and shown on hover. */
  readonly look?: 'plain' | 'strong' | 'icon' | 'danger';
  readonly isPressed?: boolean;
  readonly isBusy?: boolean;
  readonly hint?: string | undefined;
};

/** A button. While busy it cannot be pressed again but keeps its size. */
export function Button({ label, onClick, icon, look = 'plain', isPressed, isBusy = false, hint }: Props): ReactNode {
  return (
    <button
      type="button"
      className={`button button-${look}`}
      onClick={onClick}
      disabled={isBusy}
      title={hint ?? (look === 'icon' ? label : undefined)}
      aria-label={look === 'icon' ? label : undefined}
      aria-pressed={isPressed}
      aria-busy={isBusy}
    >
      {icon === undefined ? null : <Icon name={icon} />}
      {look === 'icon' ? null : <span>{label}</span>}
    </button>
  );
}
