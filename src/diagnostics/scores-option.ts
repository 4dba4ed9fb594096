import { type ChoiceOption, choice } from '../base/option.ts';

/** How the planner reads the scores: every diagnostic of class probabilities has this option, under the name `logits`. */
export const scoresOption: ChoiceOption<'auto' | 'logits' | 'probabilities'> = choice({
  default: 'auto',
  of: ['auto', 'logits', 'probabilities'],
  help: 'What the scores are. Auto looks at the node that makes them, then at their values.',
});
