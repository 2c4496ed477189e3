/** What a person typed for a probe's parameters, held against their bounds before it is sent. */
import { type Parameter, formatExact, formatUnit } from '@faultline/shared';

/** A field: what it means, or what is wrong with it. */
export type ParameterField =
  | { readonly isValid: true; readonly value: number; readonly meaning: string }
  | { readonly isValid: false; readonly why: string };

/** Reads a field. Empty is the default. Only whole numbers within the bounds are sent. */
export function readParameter(
  parameter: Pick<Parameter, 'minimum' | 'maximum' | 'default' | 'unit'>,
  typed: string,
): ParameterField {
  const { minimum, maximum, unit } = parameter;
  const text = typed.trim().replaceAll(/[ _,]/g, '');
  const value = text === '' ? parameter.default : Number(text);
  if (!/^\d*$/.test(text) || !Number.isSafeInteger(value)) return { isValid: false, why: 'a whole number, please' };
  if (value < minimum || value > maximum)
    return { isValid: false, why: `${formatExact(minimum)} to ${formatExact(maximum)}` };
  return { isValid: true, value, meaning: unit === 'ns' || unit === 'bytes' ? formatUnit(value, unit) : '' };
}
