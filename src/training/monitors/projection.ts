import { real } from '../../base/option.ts';
import { defineMonitor, type Monitor } from '../define.ts';
import { viewsOf } from '../optimizers/projecting.ts';

const ways = { channel: 'by channel', layer: 'as a whole' } as const;
const mean = (values: readonly number[]): number => {
  const finite = values.filter(Number.isFinite);
  return finite.reduce((s, v) => s + v, 0) / finite.length;
};
const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

/** The test of AdamP on every weight: 1 where it holds in a view. Its δ is the optimizer's, or the option's where that has none. */
export const projection: Monitor = defineMonitor({
  id: 'projection',
  title: 'Share of weights projected',
  source: 'arXiv:2006.08217, equation 11 (AdamP)',
  about:
    'Which steps AdamP and SGDP project, and in which view: rows of output channels, or the whole tensor. With other optimizers, which they would.',
  formula: ['max_r |cos(g_r, w_r)| < δ/√k'],
  unit: 'fraction',
  options: { delta: real({ default: 0.1, min: 0, max: 1, help: 'The threshold, where the optimizer has none of its own.' }) },
  build(emit, { parameters, flat, split, optimizer }, chosen) {
    const used = split(flat.used);
    const number = (flag: string): string => emit.Where(flag, emit.scalar(1), emit.scalar(0));
    const delta = optimizer.hyper.delta ?? emit.scalar(chosen.delta);
    const eps = optimizer.hyper.delta ? optimizer.hyper.eps : emit.scalar(1e-8);
    const lines: Record<string, string> = {};
    for (const [i, { name, value, dims, channels }] of parameters.entries()) {
      const views = viewsOf(emit, { param: value, grad: used[i], dims, channels }, delta, eps);
      if (!views) continue;
      for (const view of ['channel', 'layer'] as const) lines[`${name} ${ways[view]}`] = number(views[view]);
    }
    const all = Object.values(lines);
    const sum = all.reduce((a, b) => emit.Add(a, b), emit.scalar(0));
    return { '': emit.Div(sum, emit.scalar(Math.max(1, all.length / 2))), ...lines };
  },
  says({ projection: every = [], ...lines }) {
    const names = [...new Set(Object.keys(lines).map((line) => line.slice('projection/'.length).replace(/ (by channel|as a whole)$/, '')))];
    if (names.length === 0)
      return 'No parameter has two axes, so there is nothing to project: the run is that of the optimizer without it.';
    if (!every.some(Number.isFinite)) return undefined;
    const shares = names.map((name) => ({
      name,
      by: Object.values(ways).map((way) => ({ way, share: mean(lines[`projection/${name} ${way}`] ?? []) })),
    }));
    const words = shares.map(({ name, by }) => {
      const seen = by.filter(({ share }) => share > 0);
      return `${name} ${seen.length > 0 ? seen.map(({ way, share }) => `${percent(share)} ${way}`).join(' and ') : 'never'}`;
    });
    // Of a scale-invariant weight every step is projected; of others a gradient may meet the test by chance, with δ = 0.1 once in twelve times.
    const often = shares.some(({ by }) => by.reduce((sum, { share }) => sum + share, 0) >= 0.5);
    const hint = often
      ? ''
      : ' No weight meets the test of scale invariance in half of its steps: without normalisation layers behind the weights (or with stored statistics) AdamP is AdamW, and SGDP is SGD with decoupled decay, but for steps that meet it by chance.';
    return `Share of steps projected: ${words.join(', ')}.${hint}`;
  },
});
