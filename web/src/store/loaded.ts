/** What becomes of a question and of a command. */
import type { Problem } from '@faultline/shared';

/** Something asked for: not there yet, there, or why it could not be had. */
export type Loaded<T> =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready'; readonly value: T }
  | { readonly kind: 'failed'; readonly problem: Problem };

/** A command under way, or why it was refused; a carried out one is forgotten. */
export type Command = { readonly kind: 'pending' } | { readonly kind: 'failed'; readonly problem: Problem };
