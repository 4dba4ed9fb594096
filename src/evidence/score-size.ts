import { Fault } from '../base/fault.ts';
import type { Model } from '../graph/types.ts';

const key = 'assay.score_size';
const OPEN = 'open';

/** What a model trained by a loss that minds no size of scores says of itself; of others only where it said so before. */
export const scoreSize = (before: Model['metadata'], open: boolean): readonly (readonly [string, string])[] =>
  open || before.has(key) ? [[key, open ? OPEN : 'given']] : [];

/** Throws where the scores of the model have no size, so that their softmax is no probability and a confidence says nothing. */
export const checkConfidences = (subject: { readonly model: Pick<Model, 'metadata'> } | undefined, id: string, path = ''): void => {
  if (subject?.model.metadata.get(key) === OPEN) throw new Fault('evidence/score-size', { id, path });
};
