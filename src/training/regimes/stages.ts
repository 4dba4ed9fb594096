import { text } from '../../base/option.ts';
import { defineRegime, type Regime } from '../define-run.ts';
import { stagePlan, stagesOf } from './stage-plan.ts';

/** Runs one after the other, each training some of the parameters at a rate of its own: gradual unfreezing. */
export const stages: Regime = defineRegime({
  id: 'stages',
  source: 'Howard and Ruder 2018, arXiv:1801.06146, section 3.3 (gradual unfreezing)',
  about: 'Trains the last layers first and opens the others stage by stage, so that a good body is not spoilt by a fresh head.',
  formula: ['stage k: θ_match(k) ← train(epochs(k), lr · scale(k))'],
  options: {
    plan: text({
      default: '*:1:1',
      help: 'Stages separated by commas: PATTERN:EPOCHS:RATE, the pattern naming the parameters that it trains, the rate a factor.',
    }),
  },
  baseline: null,
  async run(programme, { plan }) {
    let graph = programme.plan.graph;
    let last = { state: {}, plan: programme.plan };
    for (const [i, { match, epochs, rate }] of stagesOf(plan).entries()) {
      const name = `stage ${i + 1}`;
      const own = stagePlan({ ...programme.plan, graph }, match);
      const { state, history } = await programme.train({ name, plan: own, epochs, rate });
      graph = programme.stored(own, state);
      last = { state, plan: { ...own, graph } };
      const { trainLoss = Number.NaN, valLoss, valAccuracy } = history.at(-1) ?? {};
      programme.record(name, {
        train_loss: trainLoss,
        ...(valLoss === undefined ? {} : { validation_loss: valLoss }),
        ...(valAccuracy === undefined ? {} : { validation_accuracy: valAccuracy }),
      });
      if (programme.ending()) break;
    }
    return last;
  },
});
