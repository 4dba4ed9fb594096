import { choice, flag, real, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { promptCards, promptGuide, promptHeadline, promptIntervals, promptNotes } from './prompt-cards.ts';
import { promptRun } from './prompt-run.ts';

export const promptEnsemble: Diagnostic = defineStudy({
  id: 'prompt-ensemble',
  title: 'Prompt Ensemble (ZPE)',
  family: 'metrics',
  question:
    'Which prompts of a text-image model suit these images, without any label, and what does weighting them gain over the plain average?',
  source: 'arXiv:2302.06235; card 54-zero-shot-prompt-weighting',
  uses: ['columns', 'outputs', 'outputHead'],
  options: {
    texts: text({ default: '', help: 'Array of text embeddings, [prompts, classes, width]; none is the first of the usual names.' }),
    textsFile: text({ default: '', reads: true, help: 'File of the text embeddings, where they are not beside the images.' }),
    textEncoder: text({
      default: '',
      reads: true,
      help: 'Model that makes text embeddings; texts are then tokens, [prompts, classes, length].',
    }),
    reference: text({ default: '', help: 'Array of embeddings of reference images, which stand for what the model was trained on.' }),
    referenceFile: text({
      default: '',
      reads: true,
      help: 'File of the reference images: embeddings, or images where a model makes them.',
    }),
    debias: choice({
      default: 'auto',
      of: ['auto', 'both', 'test', 'pretrain', 'none'],
      help: 'Mean logits taken off before prompts are scored: over these images, over reference images, or half of each; auto is both where there is a reference.',
    }),
    aggregate: choice({ default: 'softmax-weights', of: ['softmax-weights', 'scores', 'select'], help: 'How scores become weights.' }),
    selectThreshold: real({
      default: 0.5,
      min: -100,
      max: 100,
      help: 'How many MADs above the median a prompt’s score must be to be selected.',
    }),
    selectWeights: choice({ default: 'equal', of: ['equal', 'scores', 'softmax-weights'], help: 'Weights of the prompts selected.' }),
    logitScale: real({ default: 0, min: 0, max: 1e6, help: 'What cosines are multiplied with; 0 is logit_scale of the data, else 100.' }),
    perExample: flag({ default: false, help: 'Weight the prompts for every image by itself.' }),
    save: text({
      default: '',
      writes: 'onnx',
      help: 'Where to write the model with class logits, the weighted prompts folded into one matrix, as a further output.',
    }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the intervals.' }),
  },
  study: (tools, options, job, subject) => promptRun(tools, options, job, subject.modelName !== undefined),
  report: (p, { confidenceLevel, selectThreshold }) => ({
    headline: promptHeadline(p),
    intervals: promptIntervals(p, confidenceLevel),
    cards: promptCards(p, confidenceLevel, selectThreshold),
    guide: promptGuide(p),
    notes: promptNotes(p),
  }),
});
