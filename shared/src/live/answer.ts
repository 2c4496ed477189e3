/** The page's side of border 4: an HTTP answer is what its schema says, or it is refused. */
import { type Static, type TSchema, Type } from 'typebox';
import { Check, Errors } from 'typebox/value';
import { type Result, err, ok } from '../result.ts';

/** The answer as its type, or a sentence on where it departs from the schema. Interprets the schema: no eval. */
export function readAnswer<const Schema extends TSchema>(
  schema: Schema,
  answer: unknown,
): Result<Static<Schema>, string> {
  if (Check(schema, answer)) return ok(answer);
  const [first] = Errors(schema, answer);
  return err(first === undefined ? 'it does not fit its schema' : `${first.instancePath || '/'} ${first.message}`);
}

/** As readAnswer, for a list of such things. */
export function readAnswers<const Schema extends TSchema>(
  schema: Schema,
  answer: unknown,
): Result<readonly Static<Schema>[], string> {
  return readAnswer(Type.Array(schema), answer);
}
