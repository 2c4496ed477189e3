import type { ReactNode } from 'react';

type Props = {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly typed: string;
  /** What an empty field stands for. */
  readonly placeholder: string;
  readonly unit?: string | undefined;
  /** What the number means, or what is wrong with it. */
  readonly note: string;
  readonly isValid: boolean;
  readonly onType: (text: string) => void;
};

/** A field for a whole number, with what is wrong with it beside it. */
export function NumberField({ label, hint, typed, placeholder, unit, note, isValid, onType }: Props): ReactNode {
  return (
    <label className="field number-field" title={hint}>
      {label}
      <input
        inputMode="numeric"
        value={typed}
        placeholder={placeholder}
        aria-invalid={!isValid}
        maxLength={20}
        onChange={(event) => onType(event.target.value)}
      />
      {unit === undefined ? null : <span>{unit}</span>}
      <span className={isValid ? 'quiet' : 'number-field-wrong'}>{note}</span>
    </label>
  );
}
