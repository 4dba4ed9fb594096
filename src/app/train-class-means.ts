import { Fault } from '../base/fault.ts';
import type { Device } from '../base/request.ts';
import { numbersOf } from '../graph/constant.ts';
import { write } from '../graph/write.ts';
import { compileValue } from '../training/evaluate.ts';
import type { Recipe } from '../training/recipe.ts';
import type { AppJob, Ports } from './ports.ts';
import { type Held, inParts, type TrainingRows } from './train-data.ts';
import { beginning, type Subject } from './train-subject.ts';

/** Classes named in a sentence. */
const NAMED = 10;

/** Whether a run that goes on from a checkpoint finds there what begins at class means. */
export const classMeansKept = ({ plan, classMeans }: Subject): boolean =>
  plan.groups.some((g) => g.parameters.some((p) => p.name === classMeans?.parameter));

/** What to know of classes without rows. */
export const absentNote = ({ classMeans }: Subject, absent: readonly number[]): string | undefined => {
  if (!classMeans || absent.length === 0) return undefined;
  const rest = absent.length - NAMED;
  const named = `${absent.slice(0, NAMED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  return `No training row is of ${absent.length === 1 ? 'class' : 'classes'} ${named}: what begins at the class means of the features, '${classMeans.parameter}', begins at random numbers there.`;
};

/**
 * The subject with what begins at class means: the rows go once through the model with its first parameters, in inference form. Kept
 * are classes × width sums, besides a part of the rows at a time.
 */
export const withClassMeans = async (
  subject: Subject,
  held: Held<TrainingRows>,
  { recipe, device }: { readonly recipe: Recipe; readonly device: Device },
  ports: Ports,
  job: AppJob,
): Promise<Subject> => {
  const { plan, classMeans } = subject;
  const stored = classMeans && plan.graph.initializers.get(classMeans.parameter);
  if (!stored) return subject;
  const { parameter, value } = classMeans;
  const values = numbersOf(stored);
  const classes = plan.classes;
  const width = values.length / classes;
  const sums = new Float64Array(values.length);
  const counts = new Float64Array(classes);
  const compiled = compileValue(plan, value);
  const first = held.positions.subarray(0, 1);
  const probe = { [compiled.input]: (await held.rows.take(first, [1], job.signal)).x };
  const name = `the features of ${recipe.id}`;
  const { session } = await ports.runtime.open(write(compiled.model), { device, name, probe }, job);
  try {
    for await (const { x, y, from, count } of inParts(held, job)) {
      const data = (await session.run({ [compiled.input]: x }))[compiled.output].data as Float32Array;
      for (let i = 0; i < count; i++) {
        const c = Number(y.data[i]);
        counts[c]++;
        for (let d = 0; d < width; d++) sums[c * width + d] += data[i * width + d];
      }
      job.progress(0, `class means of the features: ${from + count} of ${held.positions.length} rows`);
    }
  } finally {
    await session.release();
  }
  const wrong = sums.findIndex((s) => !Number.isFinite(s));
  if (wrong >= 0) {
    const { id } = recipe.extra.head?.part ?? { id: '' };
    const reason = `begins at class means of the features, and those of class ${Math.floor(wrong / width)} are not finite; scale the inputs`;
    throw new Fault('training/part', { path: recipe.path, key: 'head', part: id, reason });
  }
  const means = Float64Array.from(sums, (s, i) => {
    const n = counts[Math.floor(i / width)];
    return n > 0 ? s / n : values[i];
  });
  return beginning(subject, [{ name: parameter, values: means }]);
};
