import { choice, real, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { featureOptions } from '../feature-options.ts';
import { anglesCards, anglesGuide, anglesHeadline, anglesIntervals, anglesNotes } from './class-angles-cards.ts';
import { anglesRun } from './class-angles-run.ts';

export const classAngleMap: Diagnostic = defineStudy({
  id: 'class-angle-map',
  title: 'Class Angle Map',
  family: 'representation',
  question: 'Does the head give all classes the same standing, which of them share a direction, and how far are rows from a wrong one?',
  source: 'arXiv:2303.11637; doi:10.1109/TIT.1974.1055219 (Welch bound); card 26-equiangular-basis-vectors',
  uses: ['features', 'outputHead', 'columns'],
  numbers: [
    ...['classes', 'width', 'max_cosine', 'mean_cosine', 'welch_bound', 'own_cosine', 'wrong_cosine', 'margin'],
    ...['nearest_accuracy', 'zero_features', 'rows'],
  ],
  options: {
    ...featureOptions,
    directions: choice({
      default: 'weights',
      of: ['weights', 'means', 'file'],
      help: 'What a class points at: its weights in the last layer (or the fixed vectors there), the mean of its rows, or vectors in a file.',
    }),
    vectors: text({ default: '', reads: true, help: 'An .npy or .npz file of vectors, one a class, with directions file.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the interval.' }),
  },
  study: (tools, chosen, job, subject) => anglesRun(tools, chosen, subject, job),
  report(found, chosen, { classes }) {
    const name = (c: number): string => classes[c] ?? String(c);
    return {
      headline: anglesHeadline(found),
      intervals: anglesIntervals(found, chosen),
      cards: anglesCards(found, chosen, name),
      guide: anglesGuide(found, chosen, name),
      notes: anglesNotes(found),
    };
  },
});
