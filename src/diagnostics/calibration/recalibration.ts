import { choice, int, real, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { scoresOption } from '../scores-option.ts';
import { recalibrationFindings } from './recalibration-findings.ts';
import { recalibrators } from './recalibration-index.ts';
import { recalibrate } from './recalibration-run.ts';

/** Matrix scaling overfits where classes are many (card 00-calibration-common), and two others are trained, which takes its time: only who asks for them, or for all, gets them. */
const asked = ['matrix', 'h-calibration', 'correctness-aware'];
/** A calibrator that is trained is shown beside the one temperature it has to beat. */
const offered = (method: string) =>
  recalibrators.filter(
    (r) =>
      method === 'all' ||
      method === r.id ||
      (method === 'best' && !asked.includes(r.id)) ||
      (r.id === 'temperature' && recalibrators.some((other) => other.id === method && 'train' in other)),
  );

/** Calibrators behind the scores, fitted on some rows and shown on others. */
export const recalibration: Diagnostic = defineStudy({
  id: 'recalibration',
  title: 'Recalibration',
  family: 'calibration',
  question: 'Which calibrator makes the confidences honest, by how much on rows it has not seen, and what does it change?',
  source: `${[...new Set(recalibrators.map(({ source }) => source))].join('; ')}; card 00-calibration-common`,
  uses: ['scores', 'calibrated', 'trainer', 'perturbed'],
  options: {
    method: choice({
      default: 'best',
      of: [
        'best',
        'all',
        'temperature',
        'platt',
        'beta',
        'vector',
        'histogram',
        'isotonic',
        'matrix',
        'h-calibration',
        'correctness-aware',
      ],
      help: 'One calibrator, or the best of those offered: best leaves out matrix scaling, which overfits many classes, and the two that are trained; all has them too.',
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
    mapping: choice({
      default: 'temperature-ensemble',
      of: ['temperature-ensemble', 'piecewise-linear', 'auto'],
      help: 'Maps of h-calibration; auto trains both and keeps the better by select. A monotone network, the paper’s third, is not built.',
    }),
    temperatures: int({ default: 16, min: 1, max: 128, help: 'Temperatures of the ensemble of h-calibration.' }),
    segments: int({ default: 100, min: 1, max: 500, help: 'Pieces of the piecewise-linear map of h-calibration.' }),
    window: int({
      default: 200,
      min: 2,
      max: 100_000,
      help: 'Neighbouring events that a window of h-calibration, or of local errors, takes in: an even number.',
    }),
    epsilon: real({ default: 1e-20, min: 0, max: 1, help: 'Error of a window that h-calibration lets pass.' }),
    clusters: int({
      default: 15,
      min: 0,
      max: 1000,
      help: 'Clusters of probability that weigh the same in h-calibration; 0: every event does.',
    }),
    epochs: int({ default: 2000, min: 1, max: 100_000, help: 'Most epochs of h-calibration; it stops early where nothing improves.' }),
    select: choice({
      default: 'top-label',
      of: ['top-label', 'classwise', 'nll'],
      help: 'What picks the epoch of h-calibration to keep: debiased ECE, classwise ECE or log loss, on the rows of the fit.',
    }),
    perturbations: text({
      default: '',
      help: 'Changes of the input that keep its label, for correctness-aware: NAME=SIZE of rotation, greyscale, blur, jitter, noise, dropout, scale. Empty: those of pictures.',
    }),
    topK: int({ default: 4, min: 1, max: 100, help: 'Largest logits that correctness-aware calibration looks at under each change.' }),
    hidden: int({ default: 5, min: 1, max: 1000, help: 'Hidden units of the net that gives each row its temperature.' }),
    weighting: choice({
      default: 'none',
      of: ['none', 'balanced'],
      help: 'Right and wrong rows in correctness-aware calibration: as they are, or as two halves, which helps under a shift and makes confidence too low without one.',
    }),
    steps: int({ default: 1000, min: 1, max: 1_000_000, help: 'Steps that correctness-aware calibration is trained for.' }),
    rate: real({
      default: 0,
      min: 0,
      max: 10,
      help: 'Adam’s rate of both trained calibrators; 0: 0.005 for h-calibration, 0.001 for correctness-aware.',
    }),
    batch: int({
      default: 0,
      min: 0,
      max: 10_000_000,
      help: 'Rows of a training step; 0: 5000 for h-calibration, 1000 for correctness-aware.',
    }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of intervals and of the consistency band.' }),
    nullDraws: int({ default: 1000, min: 100, max: 100_000, help: 'Simulated data sets of a perfectly calibrated model.' }),
    bootstrap: int({ default: 1000, min: 100, max: 100_000, help: 'Resamples of the rows behind the interval of the calibration error.' }),
    logits: scoresOption,
  },
  study: (tools, chosen, job, subject) => recalibrate(tools, offered(chosen.method), chosen, subject, job),
  report: recalibrationFindings,
});
