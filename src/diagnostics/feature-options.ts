import { type ChoiceOption, choice, type PickOption, pick } from '../base/option.ts';

/** Which value of a model gives features, and how it becomes a row. */
export const featureOptions: {
  readonly layer: PickOption;
  readonly pooling: ChoiceOption<'none' | 'channels-first' | 'channels-last' | 'flatten'>;
} = {
  layer: pick({
    default: '',
    from: 'layer',
    help: 'Value or node of the model that gives the features. Empty: what the last Gemm, MatMul or Conv reads.',
  }),
  pooling: choice({
    default: 'none',
    of: ['none', 'channels-first', 'channels-last', 'flatten'],
    help: 'How features of several axes become a row: means over all axes but the first (NCHW) or the last, or laid flat.',
  }),
};
