import { choice, flag, int, real, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { scoresOption } from '../scores-option.ts';
import { frechetCards, frechetHeadline, frechetIntervals, frechetNotes } from './frechet-mean-cards.ts';
import { frechetGuide } from './frechet-mean-guide.ts';
import { frechetRun } from './frechet-mean-run.ts';
import { frechetScores } from './frechet-mean-scores.ts';

export const frechetMeanPrediction: Diagnostic = defineStudy({
  id: 'frechet-mean-prediction',
  title: 'Geometry-Aware Prediction (Loki)',
  family: 'metrics',
  question:
    'Some mistakes are farther off than others: what does answering the label of least expected distance gain, and which labels can it reach?',
  source: 'arXiv:2307.12226; card 41-loki-frechet-mean-prediction',
  uses: ['outputs', 'columns', 'outputHead'],
  options: {
    metric: choice({
      default: 'auto',
      of: ['auto', 'matrix', 'edges', 'order', 'embeddings', 'weights'],
      titles: {
        auto: 'As the file tells, else the weights of the last layer',
        matrix: 'A table of distances',
        edges: 'Edges of a tree or graph',
        order: 'Labels in order',
        embeddings: 'A vector for every label',
        weights: 'The weights of the model’s last layer',
      },
      help: 'What tells how far labels are apart; auto takes what the form of metricFile tells, without one the weights of the last layer.',
    }),
    metricFile: text({
      default: '',
      reads: true,
      help: 'File of distances (a square table), of edges (columns from and to or parent and child, perhaps weight), of vectors, or of names in order.',
    }),
    metricArray: text({ default: '', help: 'Array of that file, where it has several.' }),
    normalise: flag({ default: true, help: 'Make the vectors of labels unit vectors before distances are taken.' }),
    observed: text({
      default: '',
      help: 'The label of every class in the order of the classes, by name or number and comma, where names do not tell.',
    }),
    power: int({
      default: 2,
      min: 1,
      max: 2,
      help: '2 answers with the least expected squared distance (Fréchet mean), 1 with the least distance (median).',
    }),
    temperature: real({ default: 1, min: 0, max: 1000, help: 'Divides the logits; 0 fits it on the rows whose label is a class.' }),
    suggest: int({ default: 5, min: 0, max: 100, help: 'How many labels to suggest for labelling next.' }),
    save: text({
      default: '',
      writes: 'onnx',
      help: 'Where to write the model with the answer and the expected costs as further outputs.',
    }),
    logits: scoresOption,
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the intervals.' }),
  },
  study: async (tools, options, job, subject) => {
    const found = await frechetRun(tools, options, job, subject.modelName !== undefined);
    return { found, scores: frechetScores(found, options.confidenceLevel) };
  },
  report: ({ found, scores }, { confidenceLevel, power }) => ({
    headline: frechetHeadline(found, scores),
    intervals: frechetIntervals(scores, confidenceLevel),
    cards: frechetCards(found, scores, confidenceLevel, power),
    guide: frechetGuide(found, scores),
    notes: frechetNotes(found),
  }),
});
