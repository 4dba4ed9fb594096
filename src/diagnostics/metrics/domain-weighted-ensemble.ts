import { choice, int, pick, real, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { featureOptions } from '../feature-options.ts';
import { ensembleCards } from './domain-ensemble-cards.ts';
import { ensembleGuide, ensembleHeadline, ensembleIntervals } from './domain-ensemble-guide.ts';
import { ensembled } from './domain-ensemble-run.ts';
import { gateKinds, gateTitles } from './domain-gate.ts';

/** Keeps the columns of domains and tokens, and for each domain its class probabilities, 8 bytes a row and class. */
export const domainWeightedEnsemble: Diagnostic = defineStudy({
  id: 'domain-weighted-ensemble',
  title: 'Domain-Weighted Ensemble',
  family: 'metrics',
  question:
    'Does one model per domain, weighted by the words of a row, answer better than one for all, and are rows sent to the right one?',
  source: 'arXiv:2306.17068; card 35-domain-weighted-capsules',
  uses: ['columns', 'outputs', 'features', 'ensemble', 'head'],
  options: {
    domain: pick({ default: 'domain', from: 'column', help: 'Column that holds the domain of a row.' }),
    tokens: pick({
      default: '',
      from: 'column',
      help: 'Column of text, or array of token ids, that the gate reads. Empty: text, tokens, input_ids, ids, sentence, review or x.',
    }),
    models: text({ default: '', help: 'Model (.onnx) or table of predictions of each domain, as DOMAIN=PATH,DOMAIN=PATH.' }),
    voters: choice({
      default: 'auto',
      of: ['auto', 'models', 'features', 'tokens'],
      help: 'Who votes for a domain: models given, or logistic heads fitted here on features of the model or on token counts.',
    }),
    gate: choice({ default: 'tf-idf-smooth', of: gateKinds, titles: gateTitles, help: 'How much a token belongs to a domain.' }),
    classWeights: choice({
      default: 'none',
      of: ['none', 'inverse-frequency'],
      help: 'How much rows of a class count when a head is fitted.',
    }),
    minTokenCount: int({ default: 1, min: 1, max: 1_000_000, help: 'Tokens that occur less often belong to no domain.' }),
    ignore: text({ default: '', help: 'Tokens that count as nothing, with commas between them: 0 where id 0 is padding.' }),
    fitOn: text({
      default: '',
      help: 'Split of the same data to count and fit on; rows shown are left out of it. Empty: a third of the rows shown is held out.',
    }),
    layer: pick({
      default: '',
      from: 'layer',
      help: 'Value or node that gives shared features. Empty: what the last Gemm, MatMul or Conv reads.',
    }),
    pooling: featureOptions.pooling,
    inversePenalty: real({ default: 1, min: 1e-6, max: 1e6, help: 'C: inverse strength of the L2 penalty of a head.' }),
    maxIter: int({ default: 1000, min: 1, max: 100_000, help: 'Most steps of a fit.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of intervals.' }),
    save: text({
      default: '',
      writes: 'onnx',
      help: 'Saves gate and models as one model of token ids, with outputs probabilities and gate.',
    }),
  },
  study: (tools, chosen, job, subject) => ensembled(tools, chosen, subject.modelName !== undefined, job),
  report: (r, chosen) => ({
    headline: ensembleHeadline(r),
    intervals: ensembleIntervals(r, chosen.confidenceLevel),
    cards: ensembleCards(r, chosen.confidenceLevel),
    guide: ensembleGuide(r, chosen),
    notes: r.notes,
  }),
});
