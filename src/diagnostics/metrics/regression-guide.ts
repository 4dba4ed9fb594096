import { number, percent, rowCount } from '../wording.ts';
import { type Measure, type Measured, measures, type Regression } from './regression-scores.ts';

const told = ({ value, interval }: Measured, level: number): string =>
  interval ? `${number(value)} (${percent(level)} interval ${number(interval[0])} to ${number(interval[1])})` : number(value);

/** Which of several models leads, and by which measures it does not. */
const leader = ({ models }: Regression, names: readonly string[]): string => {
  if (models.length < 2) return '';
  const best = models.reduce((least, of, i) => (of.place < models[least].place ? i : least), 0);
  const lost = (Object.keys(measures) as Measure[]).filter((k) =>
    models.some((of) => (measures[k] === 'high' ? of[k] > models[best][k] : of[k] < models[best][k])),
  );
  return ` Of ${models.length} models '${names[best] ?? best + 1}' has the best mean place, ${number(models[best].place)}${lost.length > 0 ? `, though not by ${lost.map((k) => k.toUpperCase()).join(', ')}: choose by the measure that the use asks for` : ', and leads in every measure'}.`;
};

const verdict = (r: Regression, level: number): string => {
  if (r.rows === 0) return 'There are no rows with a target to judge: choose a split that holds some.';
  const error = `On ${rowCount(r.rows)} predictions are off by ${told(r.mae, level)} on average (MAE), ${told(r.rmse, level)} in root mean square, where always answering the mean target would score ${number(r.targetSd)}.`;
  if (r.rows === 1) return `${error} One row says nothing about order or scale: measure on more.`;
  if (!Number.isFinite(r.plcc.value))
    return `${error} Predictions or targets are constant, so nothing can be said about their order: look at the output diagnosed and at the split.`;
  const learned =
    r.r2.interval && r.r2.interval[0] > 0
      ? ''
      : ' These rows do not show that the model beats that answer: check the scale of targets and predictions, or measure on more rows.';
  const order = ` Their order agrees with SRCC ${told(r.srcc, level)}.`;
  const biased =
    r.bias.interval && (r.bias.interval[0] > 0 || r.bias.interval[1] < 0)
      ? ` Predictions are too ${r.bias.value > 0 ? 'high' : 'low'} by ${number(Math.abs(r.bias.value))} on average, which a constant repairs.`
      : '';
  const gain = r.fitted && r.rmse.value > 0 ? 1 - r.fitted.rmse / r.rmse.value : 0;
  const remedy =
    gain > 0.1
      ? ` A fitted ${r.fitted?.kind === 'line' ? 'line' : 'logistic curve'} would lower the error to ${number(r.fitted?.rmse ?? 0)}: much of it is scale, not order. Fit such a curve on other rows and put it behind the model before training again.`
      : ' A fitted curve would hardly lower the error, so what is left is order and noise: more data, better inputs or cleaner targets would change it, a rescaling would not.';
  return `${error}${learned}${order}${biased}${remedy}`;
};

/** What the numbers say here, and what would change the decision. */
export const regressionGuide = (r: Regression, level: number, models: readonly string[]): string =>
  `${verdict(r, level)}${leader(r, models)}`;

/** Rows left out for want of a target. */
export const missingNote = (missing: number, rows: readonly number[]): string[] =>
  missing === 0
    ? []
    : [
        `${missing} ${missing === 1 ? 'row has' : 'rows have'} no target and ${missing === 1 ? 'was' : 'were'} left out: ${rows.join(', ')}${missing > rows.length ? ', …' : ''}.`,
      ];
