import type { Job } from '../../base/job.ts';
import { spearman } from '../../base/maths/correlation.ts';
import { structuralSimilarity } from '../../base/maths/structural-similarity.ts';
import type { ModelGradients } from '../../evidence/evidence.ts';
import type { AttributedSamples, Samples } from './attribute.ts';
import { methods } from './methods.ts';
import { mapOf } from './overlay.ts';
import { perToken } from './tokens.ts';

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

/** |a| of one row, over its inputs or its map; of text over its tokens without padding. */
const sizesOf = (
  { inputs, padding, rows, x }: Compared,
  found: AttributedSamples,
  b: number,
): { readonly all: Float64Array; readonly present: Float64Array } => {
  const n = rows.length;
  if (inputs && found.grid?.kind !== 'units') {
    const t = inputs.length / n;
    const scores = perToken(found, n, t, methods[found.method].kind === 'sensitivity').subarray(b * t, (b + 1) * t);
    const all = scores.filter((_, k) => inputs[b * t + k] !== padding).map(Math.abs);
    return { all, present: all };
  }
  const size = found.values.length / n;
  const d = x.length / n;
  const all = found.values.subarray(b * size, (b + 1) * size).map(Math.abs);
  return { all, present: size === d ? all.filter((_, k) => x[b * d + k] !== 0) : all };
};
type Compared = Pick<Samples, 'x' | 'rows' | 'axes' | 'inputs' | 'padding'>;

/** How alike the maps of two models are, sample by sample, and on the mean. */
export const likeness = (asked: Compared, a: AttributedSamples, b: AttributedSamples): Omit<Stage, 'layers' | 'name'> => {
  const n = asked.rows.length;
  const each = asked.rows.map((_, i) => {
    const [p, q] = [sizesOf(asked, a, i), sizesOf(asked, b, i)];
    const { axes } = asked;
    const shown = (found: AttributedSamples) => axes && found.grid?.kind !== 'units' && mapOf(found, i, n, axes);
    const [s, t] = [shown(a), shown(b)];
    return {
      spearman: spearman(p.all, q.all),
      nonzero: spearman(p.present, q.present),
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
