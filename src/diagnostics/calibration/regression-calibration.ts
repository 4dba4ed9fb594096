import { choice, int, pick, real, text } from '../../base/option.ts';
import { type Diagnostic, defineFold } from '../define.ts';
import {
  regressionCalibrationCards,
  regressionCalibrationGuide,
  regressionCalibrationHeadline,
  regressionCalibrationIntervals,
  regressionCalibrationNotes,
  regressionCalibrationNumbers,
} from './regression-calibration-cards.ts';
import { type RegressionCalibration, regressionCalibrationScores } from './regression-calibration-scores.ts';
import { addForecasts, forecastState, mergeForecasts } from './regression-calibration-state.ts';

/** A forecast is calibrated where a share τ of targets lies at or below its quantile of level τ (Kuleshov, Fenner, Ermon 2018). */
export const regressionCalibration: Diagnostic = defineFold({
  id: 'regression-calibration',
  title: 'Regression Calibration',
  family: 'calibration',
  question: 'Where a model says how sure it is of a number: do its 90 % intervals hold 90 % of the true values, and how wide are they?',
  source: 'arXiv:1807.00263; doi:10.1198/016214506000001437; card 00-calibration-common',
  numbers: regressionCalibrationNumbers,
  needs: ['targets', 'predictions', 'rows', 'groups'],
  options: {
    form: choice({
      default: 'auto',
      of: ['auto', 'mean-sd', 'mean-variance', 'mean-log-variance', 'quantiles', 'interval'],
      help: 'What the predictions of a row are. Auto goes by names of columns (mean and sd or variance, quantile_0.9, lower and upper).',
    }),
    levels: text({
      default: '',
      help: 'Levels of predicted quantiles in the order of the columns, such as 0.05, 0.5, 0.95; else those in their names.',
    }),
    coverage: real({ default: 0.9, min: 0.01, max: 0.999, help: 'Share of targets that a lower and an upper end promise to hold.' }),
    spread: pick({ default: '', from: 'column', help: 'Column of the standard deviation that belongs to a single prediction.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of intervals and of the consistency band.' }),
    nullDraws: int({ default: 1000, min: 100, max: 100_000, help: 'Simulated data sets of perfectly calibrated forecasts.' }),
  },
  start: (_, { predictions }) => forecastState(predictions),
  add: (state, batch, chosen) => addForecasts(state, batch, chosen),
  merge: (state, other) => mergeForecasts(state, other),
  result: (state, chosen, job): RegressionCalibration => regressionCalibrationScores(state, chosen, job.random('null-draws')),
  report: (r, chosen) => ({
    headline: regressionCalibrationHeadline(r),
    intervals: regressionCalibrationIntervals(r, chosen),
    cards: regressionCalibrationCards(r, chosen),
    guide: regressionCalibrationGuide(r, chosen),
    notes: regressionCalibrationNotes(r),
  }),
});
