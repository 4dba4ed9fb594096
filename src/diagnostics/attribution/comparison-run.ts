import { Fault, type FaultCode } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import { spearman } from '../../base/maths/correlation.ts';
import { nearest } from '../../base/nearest.ts';
import type { Chosen } from '../../base/option.ts';
import type { Subject, Tools } from '../../evidence/evidence.ts';
import { attributeTaken, type MapOptions, oneHotSentence, type TakenRows, type TargetOptions, takeRows } from './attributed-rows.ts';
import { type MethodId, methodIds, methodTitles } from './method-names.ts';
import type { AttributionOptions } from './options.ts';
import { channelSum, mapOf } from './overlay.ts';
import type { Saliency } from './saliency-result.ts';
import { evenly } from './samples.ts';
import { alongSignal } from './signal-cards.ts';

export interface ComparisonOptions extends Omit<Chosen<AttributionOptions & TargetOptions & MapOptions>, 'method'> {
  readonly methods: string;
  readonly samples: number;
  readonly order: 'evenly' | 'first';
  readonly sameScale: boolean;
}

/** Maps of one method. */
export interface Compared {
  readonly method: MethodId;
  readonly rows: Saliency;
  /** One score per place that methods share, for each sample: a pixel, a token that is no padding, a place of a signal, or a column. */
  readonly profiles: readonly Float64Array[];
}

/** How alike two methods are, sample by sample; NaN where a map is constant. */
export interface Likeness {
  /** Spearman's correlation of |a|; the same over places whose input is not 0; of a with its sign, where both have one. */
  readonly size: readonly number[];
  readonly nonzero: readonly number[];
  readonly signed?: readonly number[];
  /** Share of the tenth of places with the largest |a| that both have. */
  readonly top: readonly number[];
}

export interface Comparison {
  readonly compared: readonly Compared[];
  /** [i][j] for i < j. */
  readonly pairs: readonly { readonly of: readonly [number, number]; readonly likeness: Likeness }[];
  /** Methods that this model or these inputs do not allow. */
  readonly left: readonly { readonly title: string; readonly reason: string }[];
}

/** A comparison goes on without a method that stops with one of these: it does not fit the graph, or the kind of input. */
const unfit: readonly FaultCode[] = [
  'graph/rule-set',
  'graph/no-gradient',
  'graph/no-rectifier',
  'diagnostic/no-feature-maps',
  'diagnostic/layer-rank',
  'diagnostic/coalitions',
];

const methodsOf = (names: string): readonly MethodId[] => {
  const known = new Map<string, MethodId>(methodIds.map((id) => [id, id]));
  const found = names.split(',').map((part) => {
    const name = part.trim();
    const id = known.get(name);
    const near = nearest(name, methodIds);
    if (!id)
      throw new Fault('option/value', {
        name: 'methods',
        value: name,
        expected: `method ids separated by commas (${near === '' ? '' : `nearest: ${near}; `}all: ${methodIds.join(', ')})`,
      });
    return id;
  });
  const ids = [...new Set(found)];
  if (ids.length < 2) throw new Fault('option/value', { name: 'methods', value: names, expected: 'at least two methods to compare' });
  return ids;
};

/** Scores of one sample over the places that methods share; undefined for units of a layer. */
const profileOf = (s: Saliency, b: number): Float64Array | undefined => {
  const { found, tokens, pictures, signals } = s;
  if (found.grid?.kind === 'units') return undefined;
  const n = s.rows.length;
  if (tokens) {
    const t = tokens.scores.length / n;
    return tokens.scores.subarray(b * t, (b + 1) * t).filter((_, k) => !tokens.padding[b][k]);
  }
  if (pictures) return mapOf(found, b, n, pictures.axes, s.reduction).values;
  const d = found.values.length / n;
  const own = found.values.subarray(b * d, (b + 1) * d);
  return signals ? alongSignal(own, signals.places) : own;
};

/** The input's size at the places of a profile; undefined where they are tokens. */
const presence = ({ x, asked, pictures }: TakenRows, s: Saliency, b: number): Float64Array | undefined => {
  if (s.tokens) return undefined;
  const d = x.length / asked.rows.length;
  const size = Float64Array.from(x.subarray(b * d, (b + 1) * d), Math.abs);
  if (s.features) {
    const sums = new Float64Array(s.features.names.length);
    for (let k = 0; k < d; k++) sums[s.features.of[k]] += size[k];
    return sums;
  }
  return pictures ? channelSum(size, 0, pictures.axes) : s.signals ? alongSignal(size, s.signals.places) : size;
};

/** Places with the largest values: a tenth of them, at least one. */
const topTenth = (sizes: Float64Array): Set<number> => {
  const order = Uint32Array.from(sizes, (_, k) => k).sort((a, b) => sizes[b] - sizes[a] || a - b);
  return new Set(order.subarray(0, Math.max(1, Math.round(sizes.length / 10))));
};

const hasSign = ({ profiles }: Compared): boolean => profiles.some((p) => p.some((v) => v < 0));

export const likenessOf = (a: Compared, b: Compared, present: (sample: number) => Float64Array | undefined): Likeness => {
  const each = <T>(of: (p: Float64Array, q: Float64Array, i: number) => T): T[] => a.profiles.map((p, i) => of(p, b.profiles[i], i));
  const sized = each((p, q) => [p.map(Math.abs), q.map(Math.abs)] as const);
  return {
    size: sized.map(([p, q]) => spearman(p, q)),
    nonzero: sized.map(([p, q], i) => {
      const there = present(i);
      const kept = (v: Float64Array): Float64Array => (there ? v.filter((_, k) => there[k] !== 0) : v);
      return spearman(kept(p), kept(q));
    }),
    ...(hasSign(a) && hasSign(b) ? { signed: each(spearman) } : {}),
    top: sized.map(([p, q]) => {
      const [tops, other] = [topTenth(p), topTenth(q)];
      return [...tops].filter((k) => other.has(k)).length / tops.size;
    }),
  };
};

/** Attributes the same samples by every method, and compares the maps two by two. */
export const comparisonRun = async (
  tools: Pick<Tools, 'gradient' | 'samples'>,
  chosen: ComparisonOptions,
  subject: Subject,
  job: Job,
): Promise<Comparison> => {
  const ids = methodsOf(chosen.methods);
  const { count } = tools.samples;
  const shown = Math.min(chosen.samples, count);
  const positions = chosen.order === 'evenly' ? evenly(shown, count) : Array.from({ length: shown }, (_, i) => i);
  const taken = await takeRows(tools, positions, chosen, subject, job, 128);
  const compared: Compared[] = [];
  const left: { readonly title: string; readonly reason: string }[] = [];
  let first: Fault | undefined;
  for (const [i, method] of ids.entries()) {
    const progress: Job['progress'] = (f) => job.progress((i + f) / ids.length, methodTitles[method]);
    progress(0, '');
    try {
      const { rows } = await attributeTaken(taken, { ...chosen, method }, subject, { ...job, progress });
      const profiles = rows.rows.flatMap((_, b) => profileOf(rows, b) ?? []);
      if (profiles.length === rows.rows.length) compared.push({ method, rows, profiles });
      else left.push({ title: methodTitles[method], reason: 'its map is over units of a layer, not over the input.' });
    } catch (error) {
      if (!(error instanceof Fault) || !unfit.some((code) => Fault.is(error, code))) throw error;
      first ??= error;
      left.push({ title: methodTitles[method], reason: error.message });
    }
  }
  if (compared.length < 2)
    throw first ?? new Fault('option/value', { name: 'methods', value: chosen.methods, expected: 'two methods with maps over the input' });
  const { features } = compared[0].rows;
  if (features) job.note(oneHotSentence(features));
  const pairs = compared.flatMap((a, i) =>
    compared.slice(i + 1).map((b, j) => ({
      of: [i, i + 1 + j] as const,
      likeness: likenessOf(a, b, (sample) => presence(taken, a.rows, sample)),
    })),
  );
  return { compared, pairs, left };
};
