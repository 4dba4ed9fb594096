import type { BarsCard, Card, NumberCard, TableCard } from '../../report/report.ts';
import { percent, rowCount } from '../wording.ts';
import type { CurvatureKind, Radius, TrustRadius } from './trust-radius-run.ts';

const titles: Readonly<Record<CurvatureKind, string>> = {
  'gauss-newton': 'Gauss–Newton',
  hessian: 'Hessian',
  fisher: 'Empirical Fisher',
};
const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);

export const radiusHeadline = (found: TrustRadius): Record<string, number> => ({
  ...Object.fromEntries(
    found.radii.flatMap(({ kind, gamma, achieved }) => {
      const name = kind.replace('-', '_');
      return [
        [`gamma_${name}`, gamma],
        [`decrease_${name}`, achieved],
      ];
    }),
  ),
  decrease_gradient_descent: found.descent,
  loss: found.loss,
  gradient_norm: found.gradientNorm,
  largest_eigenvalue: found.largest,
});

const numbers = (found: TrustRadius): NumberCard => ({
  kind: 'number',
  title: 'At these weights',
  caption: `${rowCount(found.rows)} of ${found.of}, ${found.parameters} parameters, batch normalisation by its stored statistics. No weights are kept.`,
  values: [
    { name: 'loss', label: 'Loss', value: finite(found.loss), unit: 'none' },
    { name: 'gradient_norm', label: 'Gradient norm', value: finite(found.gradientNorm), unit: 'none' },
    { name: 'largest_eigenvalue', label: 'Largest eigenvalue of Gauss–Newton', value: finite(found.largest), unit: 'none' },
    {
      name: 'decrease_gradient_descent',
      label: 'Fall of the loss by one step of gradient descent',
      value: finite(found.descent),
      unit: 'none',
    },
  ],
});

const verdicts: Readonly<Record<Radius['verdict'], string>> = {
  accepted: 'accepted',
  beyond: 'Newton’s step: a wider radius changes nothing',
  'not positive': 'not positive along some direction',
  exhausted: 'no radius was accepted',
};

const radiusTable = ({ radii }: TrustRadius): TableCard => ({
  kind: 'table',
  title: 'Trust radius by curvature',
  caption:
    'γ: the largest radius, within a factor of two, at which the step was accepted. λ = ‖g‖/γ is added to the curvature. The error of the linear model is measured at the step: above 1, the gradient there is not what the model says, though the loss fell.',
  columns: [
    { name: 'curvature', label: 'Curvature', type: 'text' },
    { name: 'verdict', label: 'Verdict', type: 'text' },
    { name: 'gamma', label: 'γ', type: 'number' },
    { name: 'lambda', label: 'λ', type: 'number' },
    { name: 'length', label: '‖d‖', type: 'number' },
    { name: 'achieved', label: 'Fall of the loss', type: 'number' },
    { name: 'predicted', label: 'Predicted', type: 'number' },
    { name: 'error', label: 'Error of the linear model', type: 'number' },
    { name: 'trials', label: 'Trials', type: 'number', unit: 'count' },
    { name: 'products', label: 'Products', type: 'number', unit: 'count' },
  ],
  rows: radii.map((r) => [
    titles[r.kind],
    verdicts[r.verdict],
    ...[r.gamma, r.lambda, r.length, r.achieved, r.predicted, r.error].map(finite),
    r.trials,
    r.products,
  ]),
});

const falls = ({ radii, descent }: TrustRadius): BarsCard => ({
  kind: 'bars',
  title: 'What one step brings',
  caption:
    'Fall of the loss by one step of each curvature within its radius, beside what its model predicts, and one step of gradient descent at the inverse of the largest eigenvalue.',
  x: { label: 'Step', unit: 'none' },
  y: { label: 'Fall of the loss', unit: 'none', min: 0 },
  categories: [...radii.map((r) => titles[r.kind]), 'Gradient descent'],
  series: [
    { name: 'achieved', values: [...radii.map((r) => finite(r.achieved)), finite(descent)] },
    { name: 'predicted', values: [...radii.map((r) => finite(r.predicted)), null] },
  ],
});

export const radiusCards = (found: TrustRadius): Card[] =>
  found.radii.length === 0 ? [numbers(found)] : [numbers(found), radiusTable(found), falls(found)];

const verdict = ({ radii, loss, descent, gradientNorm }: TrustRadius): string => {
  if (gradientNorm === 0) return 'The gradient is zero: these weights do not move.';
  const of = (kind: CurvatureKind): number => radii.find((r) => r.kind === kind)?.achieved ?? Number.NaN;
  const best = Math.max(...radii.map((r) => r.achieved).filter(Number.isFinite), 0);
  const share = best / Math.abs(loss);
  const worth =
    best === 0
      ? 'No curvature had an accepted step, so this loss is as low as its rounding shows, or none of the models fits'
      : share < 1e-3
        ? `The best step would take ${percent(share)} of the loss: as good as converged on these rows`
        : best > 10 * Math.max(0, descent)
          ? `The best step would take ${percent(share)} of the loss, where one of gradient descent takes ${percent(Math.max(0, descent) / Math.abs(loss))}: training is slow here rather than finished, and second-order steps pay`
          : `The best step would take ${percent(share)} of the loss, not much more than gradient descent does (${percent(Math.max(0, descent) / Math.abs(loss))}): second-order steps are hardly worth their products`;
  const [exact, cheap] = [of('hessian'), of('gauss-newton')];
  const compared = !Number.isFinite(exact)
    ? 'The Hessian is not positive here, so that Gauss–Newton has to stand in for it.'
    : cheap >= 0.8 * exact
      ? 'Gauss–Newton does as well as the Hessian.'
      : 'Gauss–Newton falls behind the Hessian: the curvature it leaves out matters.';
  return `${worth}. ${compared}`;
};

export const radiusGuide = (found: TrustRadius): string =>
  `γ says how far the linear model of the gradient can be trusted from these weights. ${verdict(found)} Measured again along training, a γ that grows geometrically is Newton’s fast end; a γ that stays small says that the curvature model is the bottleneck. Weight decay that training uses belongs in l2. What is fast on these rows may overfit: judge by rows held out.`;
