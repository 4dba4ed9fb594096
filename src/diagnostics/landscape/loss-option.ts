import { type ChoiceOption, choice } from '../../base/option.ts';

/** Which loss the model would be trained by. */
export const lossOption: ChoiceOption<'cross-entropy' | 'binary-cross-entropy' | 'mse'> = choice({
  default: 'cross-entropy',
  of: ['cross-entropy', 'binary-cross-entropy', 'mse'],
  help: 'Loss whose gradient is looked at: classes, labels of 0 and 1, or values.',
});
