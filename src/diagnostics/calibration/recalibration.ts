import { choice, int, real, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { scoresOption } from '../scores-option.ts';
import { recalibrationFindings } from './recalibration-findings.ts';
import { recalibrators } from './recalibration-index.ts';
import { recalibrate } from './recalibration-run.ts';

/** Matrix scaling overfits where classes are many: only who asks for it, or for all, gets it (card 00-calibration-common). */
const offered = (method: string) =>
  recalibrators.filter(({ id }) => method === id || method === 'all' || (method === 'best' && id !== 'matrix'));

/** Calibrators behind the scores, fitted on some rows and shown on others. */
export const recalibration: Diagnostic = defineStudy({
  id: 'recalibration',
  title: 'Recalibration',
  family: 'calibration',
  question: 'Which calibrator makes the confidences honest, by how much on rows it has not seen, and what does it change?',
  source: `${[...new Set(recalibrators.map(({ source }) => source))].join('; ')}; card 00-calibration-common`,
  uses: ['scores', 'calibrated'],
  options: {
    method: choice({
      default: 'best',
      of: ['best', 'all', 'temperature', 'platt', 'beta', 'vector', 'histogram', 'isotonic', 'matrix'],
      help: 'One calibrator, or the best of those offered: best leaves out matrix scaling, which overfits many classes; all has it too.',
    }),
    fitOn: text({
      default: '',
      help: 'Split of the same data to fit on, written as a split is; rows shown are left out of it. Empty: cross-fitting in folds.',
    }),
    folds: int({ default: 5, min: 2, max: 50, help: 'Folds of cross-fitting, where no split to fit on is named.' }),
    judge: choice({
      default: 'nll',
      of: ['nll', 'brier'],
      help: 'Loss on unseen rows that picks the calibrator: log loss or Brier score.',
    }),
    save: text({
      default: '',
      writes: 'onnx',
      help: 'Saves the model with the kept calibrator behind its output, same inputs and outputs.',
    }),
    bins: int({ default: 15, min: 2, max: 200, help: 'Bins of the diagrams, of ECE and of histogram binning.' }),
    l2: real({ default: 0, min: 0, max: 100, help: 'Pull of vector scaling towards no change.' }),
    odir: real({ default: 0.01, min: 0, max: 100, help: 'Pull of matrix scaling’s off-diagonal weights and biases towards 0.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of intervals and of the consistency band.' }),
    nullDraws: int({ default: 1000, min: 100, max: 100_000, help: 'Simulated data sets of a perfectly calibrated model.' }),
    bootstrap: int({ default: 1000, min: 100, max: 100_000, help: 'Resamples of the rows behind the interval of the calibration error.' }),
    logits: scoresOption,
  },
  study: (tools, chosen, job, subject) => recalibrate(tools, offered(chosen.method), chosen, subject, job),
  report: recalibrationFindings,
});
