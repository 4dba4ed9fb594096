import type { ImageAxes } from '../../base/image.ts';
import type { Job } from '../../base/job.ts';
import type { GradientAsk, GradientTool, ModelGradients } from '../../evidence/evidence.ts';
import type { EmbeddedSamples } from './embedded.ts';
import type { layerOf } from './layers.ts';
import type { MethodId } from './method-names.ts';
import type { AttributionChoice } from './options.ts';

/** Rows to attribute: x is [rows, d], one entry of the output per row, and where two are compared the one taken away. */
export interface Question {
  readonly x: Float32Array;
  readonly targets: Int32Array;
  readonly against?: Int32Array;
  /** Tokens [rows, T], where x holds their embeddings. */
  readonly inputs?: Float32Array;
}

/** What the values of a row stand for: the inputs, a map over the picture (or over the tokens, in one line), or the units of a layer. */
export type Grid =
  | { readonly kind: 'inputs' }
  | { readonly kind: 'map'; readonly height: number; readonly width: number }
  | { readonly kind: 'units'; readonly layer: string; readonly dims: readonly number[] };

export interface Attributed {
  /** [rows, size of the grid], signed unless the method says otherwise. */
  readonly values: Float64Array;
  /** f at x, per row. */
  readonly output: Float64Array;
  /** Inputs, where absent. */
  readonly grid?: Grid;
  /** For methods that must add up: f at the baseline (a mean where there are several), and what is missing. */
  readonly completeness?: Completeness;
}
export interface Completeness {
  readonly baselineOutput: Float64Array;
  /** Σ attributions − (f(x) − f(x')), per row. */
  readonly gap: Float64Array;
  /** |gap| / max(|f(x) − f(x')|, 1e-6). */
  readonly relative: Float64Array;
  /** Steps used per row. */
  readonly steps: Int32Array;
}

/** What was done, for the report. */
export type How = readonly { readonly label: string; readonly value: string | number }[];

/** What a method may use. */
export interface MethodContext {
  readonly gradient: ModelGradients;
  /** The question's scale, neuron and rules are asked by this. */
  tool(ask?: Pick<GradientAsk, 'at' | 'rules'>): Promise<GradientTool>;
  /** The layer named by the option, or the one that Grad-CAM takes by default. */
  layer(spatial: boolean): ReturnType<typeof layerOf>;
  /** What is attributed. */
  readonly scale: Pick<GradientAsk, 'scale' | 'of' | 'mirrored'>;
  readonly samples: EmbeddedSamples;
  readonly question: Question;
  /** Dataset rows asked about. */
  readonly rows: readonly number[];
  readonly axes?: ImageAxes;
  readonly chosen: AttributionChoice;
  readonly job: Pick<Job, 'random' | 'signal' | 'progress'>;
}

export interface AttributionMethod {
  /**
   * `contributions` of inputs to the change of f from a baseline, slopes (`sensitivity`), which times that change do the same, or
   * `importance`, which is on no scale of f.
   */
  readonly kind: 'contributions' | 'sensitivity' | 'importance';
  /** What a map by this method says, and what it does not: one sentence without its full stop, for the report. */
  readonly meaning: string;
  run(context: MethodContext): Promise<{ readonly found: Attributed; readonly how: How }>;
}

/** A family of methods. */
export type MethodsOf<K extends MethodId> = Readonly<Record<K, AttributionMethod>>;

/** Σ of a row's attributions against the change of f. */
export const completenessOf = (
  values: Float64Array,
  output: Float64Array,
  baselineOutput: Float64Array,
  steps: Int32Array,
): Completeness => {
  const d = values.length / output.length;
  const gap = output.map((f, b) => {
    let sum = 0;
    for (let k = b * d; k < (b + 1) * d; k++) sum += values[k];
    return sum - (f - baselineOutput[b]);
  });
  return {
    baselineOutput,
    gap,
    relative: gap.map((g, b) => Math.abs(g) / Math.max(Math.abs(output[b] - baselineOutput[b]), 1e-6)),
    steps,
  };
};
