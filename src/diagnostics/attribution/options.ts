import {
  type ChoiceOption,
  type Chosen,
  choice,
  type IntOption,
  int,
  type PickOption,
  pick,
  type RealOption,
  real,
  type TextOption,
  text,
} from '../../base/option.ts';
import type { Scale } from '../../evidence/evidence.ts';
import type { BaselineName } from './baselines.ts';
import { type MethodId, methodGroups, methodIds, methodReads, methodTitles } from './method-names.ts';
import type { RuleName } from './quadrature.ts';

/** Options of every attribution, whoever asks. */
export type AttributionOptions = {
  readonly method: ChoiceOption<MethodId>;
  readonly outputScale: ChoiceOption<Scale>;
  readonly againstClass: PickOption;
  readonly neuron: TextOption;
  readonly layer: PickOption;
  readonly quadrature: ChoiceOption<RuleName | 'adaptive'>;
  readonly steps: IntOption;
  readonly draws: IntOption;
  readonly baseline: ChoiceOption<BaselineName>;
  readonly noiseSamples: IntOption;
  readonly noiseScale: RealOption;
  readonly epsilon: RealOption;
  readonly gamma: RealOption;
  readonly window: IntOption;
  readonly stride: IntOption;
  readonly masks: IntOption;
  readonly outliers: RealOption;
};
export type AttributionChoice = Chosen<AttributionOptions>;

export const attributionOptions: AttributionOptions = {
  method: choice({
    default: 'integrated-gradients',
    of: methodIds,
    titles: methodTitles,
    groups: methodGroups,
    reads: methodReads,
    help: 'How the output is attributed to the inputs.',
  }),
  outputScale: choice({
    default: 'logit',
    of: ['logit', 'probability', 'loss'],
    help: 'What of the class is attributed: its logit, its probability (which hides evidence that classes share), or its loss, −log of the probability.',
  }),
  againstClass: pick({
    default: '',
    from: 'class',
    help: 'A second class, by name or index: its value is taken away, so maps show what speaks for one rather than the other.',
  }),
  neuron: text({
    default: '',
    help: 'A value inside the model in place of the output, as LAYER:INDEX, the index counted through one row of the layer.',
  }),
  layer: pick({
    default: '',
    from: 'layer',
    help: 'Grad-CAM and layer methods: the value inside the model; none is the last feature map.',
  }),
  quadrature: choice({
    default: 'gausslegendre',
    of: ['gausslegendre', 'riemann_middle', 'riemann_left', 'riemann_right', 'trapezoid', 'adaptive'],
    help: 'Integrated Gradients: rule of the path integral; adaptive doubles its steps until the gap is below 1 %.',
  }),
  steps: int({
    default: 50,
    min: 1,
    max: 1024,
    help: 'Integrated Gradients: steps along the path.',
  }),
  draws: int({
    default: 200,
    min: 1,
    max: 100_000,
    help: 'Expected gradients and GradientSHAP: points drawn on paths from rows of the data.',
  }),
  baseline: choice({
    default: 'auto',
    of: ['auto', 'zero', 'mean', 'black', 'white', 'blur', 'uniform', 'dataset', 'padding', 'mask'],
    help: 'What stands for an input that is absent: where paths begin and what hides an input; auto is zero for images, the mean for tables and the padding token for text; dataset takes rows of the data; padding and mask take the embedding of that token.',
  }),
  noiseSamples: int({ default: 25, min: 1, max: 1000, help: 'SmoothGrad, VarGrad: noisy copies of each sample.' }),
  noiseScale: real({
    default: 0.15,
    min: 0,
    max: 10,
    help: 'SmoothGrad, VarGrad, GradientSHAP: standard deviation of the noise, as a share of the sample’s range.',
  }),
  epsilon: real({
    default: 0.25,
    min: 0,
    max: 100,
    help: 'LRP: stabiliser of the denominators, as a share of the mean |z| of each layer; 0 is LRP-0.',
  }),
  gamma: real({ default: 0.25, min: 0, max: 100, help: 'LRP-γ: how much more positive weights count.' }),
  window: int({
    default: 0,
    min: 0,
    max: 4096,
    help: 'Occlusion: side of the window hidden at once; 0 is an eighth of the picture’s height, or one column.',
  }),
  stride: int({ default: 0, min: 0, max: 4096, help: 'Occlusion: distance between windows; 0 is half the window.' }),
  masks: int({ default: 1000, min: 1, max: 100000, help: 'RISE: masks drawn; KernelSHAP: coalitions asked about.' }),
  outliers: real({
    default: 2,
    min: 0,
    max: 50,
    help: 'Share of all attribution, in percent, that lies in values drawn at full strength.',
  }),
};
