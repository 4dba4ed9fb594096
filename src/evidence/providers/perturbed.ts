import { Fault } from '../../base/fault.ts';
import { breathe, type Job } from '../../base/job.ts';
import { softmaxInPlace } from '../../base/maths/softmax-regression.ts';
import { largest, perturb } from '../../base/perturbation.ts';
import { sizeOf } from '../../base/tensor.ts';
import { fromFloats, toFloats } from '../../data/values.ts';
import type { Bound } from '../bound.ts';
import type { PerturbedTool } from '../evidence.ts';
import type { Meaning } from '../interpret.ts';
import { batchRows, nouns } from '../plan.ts';
import type { Scorer } from '../scorer.ts';

interface Source {
  /** The rows diagnosed, and those of another split. */
  readonly shown: Bound;
  split(name: string): Promise<Bound>;
  /** Absent for a table of predictions. */
  readonly model?: { readonly score: Scorer; readonly input: { readonly name: string; readonly dtype: string } };
  readonly meaning: Meaning;
  readonly id: string;
}

/** Runs the model on changed inputs, a batch at a time. */
export const perturbed = ({ shown, split, model, meaning, id }: Source, job: Job): PerturbedTool => ({
  given: model !== undefined,
  inputDims: shown.inputDims,
  async features(name, table, { perturbations, topK }) {
    if (!model) throw new Fault('evidence/no-model', { id, tool: 'perturbed inputs' });
    if (!/^(b?float|double)/.test(model.input.dtype))
      throw new Fault('evidence/perturbed-input', { input: model.input.name, dtype: model.input.dtype });
    const { classes, logits } = table;
    const width = perturbations.length * topK;
    const out = new Float64Array(table.rows.length * width);
    const bound = name === '' ? shown : await split(name);
    try {
      let at = 0;
      const p = new Float64Array(classes);
      for await (const { x, rows } of bound.batches(batchRows(bound), job.signal)) {
        await breathe(job);
        if (!x) continue;
        const plain = toFloats(x);
        for (const [t, perturbation] of perturbations.entries()) {
          const changed = fromFloats(perturb(perturbation, plain, sizeOf(x.dims.slice(1))), x.dtype);
          const scores = await model.score({ ...x, data: changed });
          const said = nouns({ rows, scores, meaning }, ['logits']).logits;
          if (!said) continue;
          for (let i = 0; i < rows.length; i++) {
            p.set(said.data.subarray(i * classes, (i + 1) * classes));
            softmaxInPlace(p);
            for (const [k, j] of largest(logits, (at + i) * classes, classes, topK).entries()) out[(at + i) * width + t * topK + k] = p[j];
          }
        }
        at += rows.length;
        job.progress(0.3, `perturbed inputs: ${at} of ${bound.count} rows`);
      }
    } finally {
      if (bound !== shown) await bound.close();
    }
    return out;
  },
});
