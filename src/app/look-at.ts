import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { Subject } from '../evidence/evidence.ts';
import { checkProbabilities, type Declared, type Meaning, meaningOf } from '../evidence/interpret.ts';
import { batchRows, classesOf, scoresName } from '../evidence/plan.ts';
import type { OpenSubject } from './subject.ts';

/** What is known of a subject whose outputs are no scores of rows. */
export const unscored = ({ bound, model }: OpenSubject): { readonly subject: Subject; readonly meaning?: Meaning } => ({
  subject: {
    rows: bound.count,
    ...(model ? { modelName: model.name } : {}),
    dataName: bound.name,
    classes: bound.classNames ?? [],
    scores: 'none',
  },
});

/** What a first batch tells about the scores; where they are no class scores, a study still can ask about each output. */
export const lookAt = async (
  { bound, model }: OpenSubject,
  declared: Declared,
  job: Pick<Job, 'signal'>,
): Promise<{ readonly subject: Subject; readonly meaning?: Meaning }> => {
  const first = await bound.take(
    Array.from({ length: Math.min(batchRows(bound), 64, bound.count) }, (_, i) => i),
    job.signal,
  );
  const scores = first.x && model ? await model.score(first.x) : undefined;
  const facts = { rows: bound.count, ...(model ? { modelName: model.name } : {}), dataName: bound.name };
  if (!scores || !model) return { subject: { ...facts, classes: [], scores: 'none' } };
  try {
    const output = scoresName(bound, model.ends.output);
    const meaning = meaningOf(scores, first.rows, output, model.ends.hint, declared, first.labels);
    if (meaning.scores === 'probabilities') checkProbabilities(scores, first.rows, output);
    return { subject: { ...facts, classes: classesOf(bound, meaning.binary ? 2 : scores.cols), scores: meaning.scores }, meaning };
  } catch (error) {
    if (!(error instanceof Fault) || error.code === 'data/classes') throw error;
    return {
      subject: {
        ...facts,
        classes: classesOf({ namesFrom: 'stored', ...(bound.classNames ? { classNames: bound.classNames } : {}) }, scores.cols),
        scores: 'none',
      },
    };
  }
};
