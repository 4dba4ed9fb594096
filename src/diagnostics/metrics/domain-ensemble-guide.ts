import { wilson } from '../../base/maths/proportion.ts';
import type { Interval } from '../../report/report.ts';
import { percent, range } from '../wording.ts';
import type { Ensembled, EnsembleOptions, GateScore, System } from './domain-ensemble-run.ts';
import { gateTitles } from './domain-gate.ts';

const find = (r: Ensembled, name: System['name']): System | undefined => r.systems.find((s) => s.name === name);
const used = ({ gates, gate }: Ensembled): GateScore | undefined => gates.find((g) => g.kind === gate);

export const ensembleHeadline = (r: Ensembled): Record<string, number> => ({
  ...Object.fromEntries(r.systems.map((s) => [`accuracy_${s.name}`, s.right / r.shown])),
  accuracy_domain: (used(r)?.routed ?? Number.NaN) / r.shown,
  // Positive where the gate is better.
  gain_over_global: -(find(r, 'global')?.less?.value ?? Number.NaN),
  gain_over_mean: -(find(r, 'mean')?.less?.value ?? Number.NaN),
  domains: r.domains.length,
  classes: r.classes.length,
  rows: r.shown,
  fitted_rows: r.fitted,
});

export const ensembleIntervals = (r: Ensembled, level: number): Record<string, Interval> => {
  const routed = wilson(used(r)?.routed ?? 0, r.shown, level);
  const gain = (name: 'global' | 'mean'): Record<string, Interval> => {
    const less = find(r, name)?.less;
    return less
      ? { [`gain_over_${name}`]: { low: -less.range[1], high: -less.range[0], level, method: 'Wald over rows in pairs (Bonett, Price)' } }
      : {};
  };
  return {
    ...Object.fromEntries(r.systems.map((s) => [`accuracy_${s.name}`, { low: s.range[0], high: s.range[1], level, method: 'Wilson' }])),
    ...(routed ? { accuracy_domain: { low: routed[0], high: routed[1], level, method: 'Wilson' } } : {}),
    ...gain('global'),
    ...gain('mean'),
  };
};

const voters: Readonly<Record<Ensembled['kind'], string>> = {
  models: 'the models given',
  features: 'logistic heads on shared features',
  tokens: 'logistic heads on how often tokens occur',
};

export const ensembleGuide = (r: Ensembled, { save, classWeights, confidenceLevel: level }: EnsembleOptions): string => {
  const accuracy = (s: System | undefined): string => (s ? percent(s.right / r.shown) : '');
  const [global, gated, oracle] = (['global', 'gated', 'oracle'] as const).map((name) => find(r, name));
  const rival = global ?? find(r, 'mean');
  const said = global ? 'one for all domains' : 'their plain mean';
  const less = rival?.less;
  const verdict = !less
    ? ''
    : less.range[1] < 0
      ? `One model a domain pays off: behind the gate ${voters[r.kind]} answer ${accuracy(gated)} of ${r.shown} rows right, ${said} ${accuracy(rival)} (${percent(level)} interval of the gain ${range([-less.range[1], -less.range[0]])}).`
      : less.range[0] > 0
        ? `One model a domain does not pay off: behind the gate ${voters[r.kind]} answer ${accuracy(gated)} of ${r.shown} rows right, ${said} ${accuracy(rival)}: keep that.`
        : `Behind the gate ${voters[r.kind]} answer ${accuracy(gated)} of ${r.shown} rows right, ${said} ${accuracy(rival)}, which is no difference beyond noise: keep what is simpler, or measure on more rows.`;
  const routed = used(r);
  const best = r.gates.reduce((a, b) => (b.routed > a.routed ? b : a));
  const other =
    routed && best.routed > routed.routed
      ? ` The gate sends ${percent(routed.routed / r.shown)} of rows to their domain, ${gateTitles[best.kind]} would send ${percent(best.routed / r.shown)} and answer ${percent(best.right / r.shown)} right: choose it (gate ${best.kind}).`
      : ` The gate sends ${percent((routed?.routed ?? 0) / r.shown)} of rows to their domain, no other kind more.`;
  const room = ` With perfect routing the same models would answer ${accuracy(oracle)}: what lies between is the gate's to gain, the rest the models'.`;
  const weights =
    r.kind === 'models'
      ? ''
      : ` Classes weigh ${classWeights === 'none' ? 'as often as they occur; where a rare one matters, weigh them by inverse frequency (classWeights)' : 'by inverse frequency, which helps rare classes and costs plain accuracy'}.`;
  return `${verdict}${other}${room}${weights} The exact normalisation of the paper's gate is not established here (its text was not at hand): tf-idf with smoothing is our reading, and frequency times uniqueness comes from the work it builds on.${r.saved ? ` The ensemble was saved in ${save}.` : ''} Words change with time and place: count again when rows come from elsewhere.`;
};
