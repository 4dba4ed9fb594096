import type { Compiled, State } from './compile.ts';
import { gathered, layoutOf } from './layout.ts';
import { inPrecision, type Plan, scalar } from './plan.ts';
import { compileSum } from './sums.ts';

/** What a run by a host optimizer has in the place of compiled steps: the same names for state and columns. */
export const hostSteps = (plan: Plan): Compiled => {
  const { part, chosen } = plan.optimizer;
  const layout = layoutOf(plan.groups.flatMap((g) => g.parameters));
  const kept = 'iterate' in part ? part.start(layout.size, chosen) : {};
  const start: State = {
    theta: gathered(inPrecision(plan.graph, plan.precision), layout, plan.precision),
    t: scalar(plan.precision, 0),
    ...Object.fromEntries(
      Object.entries(kept).map(([key, data]) => [`kept/${key}`, { dtype: 'float64', dims: [data.length], data } as const]),
    ),
  };
  const { model, outputs } = compileSum(plan, 'gradient');
  const lines = 'iterate' in part ? (part.lines ?? []) : [];
  return {
    model,
    layout,
    precision: plan.precision,
    start,
    state: Object.fromEntries(Object.keys(start).map((key) => [key, { input: key, output: key }])),
    hyper: {},
    inputs: { x: '', y: '', rows: '', lr: '', go: '', start: '', drawn: {}, each: {} },
    outputs: {
      loss: 'loss',
      accuracy: outputs.correct ? 'accuracy' : '',
      gradientNorm: 'gradientNorm',
      finite: 'finite',
      monitors: Object.fromEntries(lines.map((line) => [`${part.id}/${line}`, `line/${line}`])),
      rows: {},
    },
  };
};
