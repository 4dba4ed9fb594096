import type { Job } from '../../base/job.ts';
import { spearman } from '../../base/maths/correlation.ts';
import { structuralSimilarity } from '../../base/maths/structural-similarity.ts';
import type { ModelGradients } from '../../evidence/evidence.ts';
import type { AttributedSamples, Samples } from './attribute.ts';
import { mapOf } from './overlay.ts';

/** Maps after the weights of the last layers are drawn anew, compared with those of the model (Adebayo et al. 2018, section 3). */
export interface Stage {
  /** Layers drawn anew, counted from the output. */
  readonly layers: number;
  /** The last of them. */
  readonly name: string;
  /** Mean over samples of Spearman's correlation of |a|; and of it over inputs that are not 0. */
  readonly spearman: number;
  readonly nonzero: number;
  /** Mean structural similarity of |a| over pictures; NaN for tables. */
  readonly similarity: number;
}

/** At most so many stages, evenly spaced, the last of them all layers. */
const STAGES = 5;
export const stagesOf = (layers: number): readonly number[] => {
  const n = Math.min(STAGES, layers);
  return Array.from({ length: n }, (_, i) => Math.max(i + 1, Math.round(((i + 1) * layers) / n)));
};

const meanOf = (values: readonly number[]): number => {
  const known = values.filter(Number.isFinite);
  return known.length === 0 ? Number.NaN : known.reduce((sum, v) => sum + v, 0) / known.length;
};

const rowOf = (values: Float64Array, b: number, rows: number): Float64Array => {
  const d = values.length / rows;
  return values.subarray(b * d, (b + 1) * d).map(Math.abs);
};

/** How alike the maps of two models are, sample by sample, and on the mean. */
const likeness = (
  asked: Pick<Samples, 'x' | 'rows' | 'axes'>,
  a: AttributedSamples,
  b: AttributedSamples,
): Omit<Stage, 'layers' | 'name'> => {
  const n = asked.rows.length;
  const d = asked.x.length / n;
  const each = asked.rows.map((_, i) => {
    const [p, q] = [rowOf(a.values, i, n), rowOf(b.values, i, n)];
    const kept = (v: Float64Array): Float64Array => (v.length === d ? v.filter((_, k) => asked.x[i * d + k] !== 0) : v);
    const { axes } = asked;
    const shown = (found: AttributedSamples) => axes && found.grid?.kind !== 'units' && mapOf(found, i, n, axes);
    const [s, t] = [shown(a), shown(b)];
    return {
      spearman: spearman(p, q),
      nonzero: spearman(kept(p), kept(q)),
      similarity: s && t ? structuralSimilarity(s.values.map(Math.abs), t.values.map(Math.abs), s.height, s.width) : Number.NaN,
    };
  });
  return {
    spearman: meanOf(each.map((e) => e.spearman)),
    nonzero: meanOf(each.map((e) => e.nonzero)),
    similarity: meanOf(each.map((e) => e.similarity)),
  };
};

/** Layers are drawn anew from the output back, one stage after the other; each stage's maps are compared with `found`. */
export const randomisation = async (
  gradient: ModelGradients,
  asked: Samples,
  found: AttributedSamples,
  attribute: (gradient: ModelGradients) => Promise<AttributedSamples>,
  job: Pick<Job, 'random' | 'signal'>,
): Promise<readonly Stage[]> => {
  const out: Stage[] = [];
  for (const layers of stagesOf(gradient.weighted.length)) {
    const other = await attribute(await gradient.redrawn(layers, job.random));
    out.push({ layers, name: gradient.weighted[layers - 1], ...likeness(asked, found, other) });
  }
  return out;
};
