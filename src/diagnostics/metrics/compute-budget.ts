import { int, real } from '../../base/option.ts';
import type { CostsTool, OperatorCost } from '../../evidence/evidence.ts';
import type { Card, NumberCard } from '../../report/report.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { number, percent } from '../wording.ts';

type Costs = Awaited<ReturnType<CostsTool['count']>>;
interface Budget {
  readonly budgetGmacs: number;
  readonly budgetParameters: number;
  readonly budgetMegabytes: number;
  readonly crops: number;
}

interface Line {
  readonly name: string;
  readonly label: string;
  readonly value: number;
  /** 0: none was set. */
  readonly budget: number;
  readonly unit: 'count' | 'bytes';
}

const counted = (operators: readonly OperatorCost[]): number => operators.reduce((sum, o) => sum + (o.macs ?? 0), 0);

const linesOf = (
  { operators, parameters, peakBytes }: Costs,
  { budgetGmacs, budgetParameters, budgetMegabytes, crops }: Budget,
): Line[] => [
  { name: 'macs', label: 'Multiply–accumulates a row', value: counted(operators) * crops, budget: budgetGmacs * 1e9, unit: 'count' },
  { name: 'parameters', label: 'Parameters', value: parameters, budget: budgetParameters * 1e6, unit: 'count' },
  {
    name: 'activation_bytes',
    label: 'Activation memory a row, at its peak',
    value: peakBytes ?? Number.NaN,
    budget: budgetMegabytes * 1e6,
    unit: 'bytes',
  },
];

const over = (line: Line): boolean => line.budget > 0 && line.value > line.budget;

const byOperator = (operators: readonly OperatorCost[]): readonly (readonly [string, number])[] => {
  const sums = new Map<string, number>();
  for (const { op, macs } of operators) if (macs) sums.set(op, (sums.get(op) ?? 0) + macs);
  return [...sums].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
};

const dearest = (operators: readonly OperatorCost[]): OperatorCost[] => [...operators].sort((a, b) => (b.macs ?? 0) - (a.macs ?? 0));

/** Operators listed: those with most multiply–accumulates. */
const LISTED = 50;
const cardsOf = (costs: Costs, lines: readonly Line[], crops: number): Card[] => {
  const { operators, totalBytes } = costs;
  const kinds = byOperator(operators);
  const all = counted(operators);
  const values: NumberCard['values'] = [
    ...lines.map(({ name, label, value, budget, unit }) => ({
      name,
      label,
      value: Number.isNaN(value) ? null : value,
      unit,
      ...(budget > 0 ? { reference: budget } : {}),
    })),
    { name: 'total_activation_bytes', label: 'Activation memory a row, all values kept (training)', value: totalBytes, unit: 'bytes' },
  ];
  return [
    {
      kind: 'number',
      title: 'Costs',
      caption: `For one row of the shape of this data${crops > 1 ? `, fed as ${crops} crops` : ''}. One multiply–accumulate is one multiplication with its addition; the reference is the budget.`,
      values,
    },
    ...(kinds.length > 0
      ? [
          {
            kind: 'bars' as const,
            title: 'Multiply–accumulates by operator',
            caption: 'Which kind of operator the work goes to.',
            x: { label: 'Operator', unit: 'none' as const },
            y: { label: 'Multiply–accumulates', unit: 'count' as const, min: 0 },
            categories: kinds.map(([op]) => op),
            series: [{ name: 'Multiply–accumulates', values: kinds.map(([, macs]) => macs * crops) }],
          },
        ]
      : []),
    {
      kind: 'table',
      title: 'Layers',
      caption: `The ${Math.min(LISTED, operators.length)} of ${operators.length} operators that cost most; element-wise operators, norms and pooling count 0.`,
      columns: [
        { name: 'layer', label: 'Layer', type: 'text' },
        { name: 'op', label: 'Operator', type: 'text' },
        { name: 'macs', label: 'Multiply–accumulates', type: 'number', unit: 'count' },
        { name: 'share', label: 'Share', type: 'number', unit: 'fraction' },
        { name: 'parameters', label: 'Parameters', type: 'number', unit: 'count' },
        { name: 'activations', label: 'Elements out', type: 'number', unit: 'count' },
      ],
      rows: dearest(operators)
        .slice(0, LISTED)
        .map((o) => [
          o.name,
          o.op,
          o.macs && o.macs * crops,
          o.macs === null || all === 0 ? null : o.macs / all,
          o.parameters,
          o.activations,
        ]),
    },
  ];
};

const guideOf = ({ operators }: Costs, lines: readonly Line[]): string => {
  const set = lines.filter((l) => l.budget > 0 && !Number.isNaN(l.value));
  const broken = set.filter(over);
  const [most] = dearest(operators);
  const all = counted(operators);
  const share = (l: Line): string =>
    `${l.label.toLowerCase()} ${number(l.value)} of a budget of ${number(l.budget)}, ${percent(l.value / l.budget)}`;
  const verdict =
    set.length === 0
      ? 'No budget was set, so this is a count.'
      : broken.length > 0
        ? `The model exceeds its budget: ${broken.map(share).join('; ')}.`
        : `The model fits its budget: ${set.map(share).join('; ')}.`;
  const where =
    all > 0 && most.macs
      ? ` ${percent(most.macs / all)} of the work is in '${most.name}' (${most.op}): shrink that one first, or feed smaller inputs, since convolutions grow with the number of pixels.`
      : '';
  return `${verdict}${where} Counts depend on the input's shape and not on the device; whether the model is quick enough there only a timing tells.`;
};

/** Multiply–accumulates, parameters and activation memory of one row, against a budget. */
export const computeBudget: Diagnostic = defineStudy({
  id: 'compute-budget',
  title: 'Compute Budget',
  family: 'metrics',
  question: 'How many multiply–accumulates, parameters and bytes does one row cost, where, and is that within the budget?',
  source: 'arXiv:2409.16271; card 39-iqa-regression-and-mac-budget',
  uses: ['costs'],
  options: {
    budgetGmacs: real({ default: 50, min: 0, max: 1e9, help: 'Budget of a row in billions of multiply–accumulates; 0 sets none.' }),
    budgetParameters: real({ default: 0, min: 0, max: 1e9, help: 'Budget of parameters in millions; 0 sets none.' }),
    budgetMegabytes: real({
      default: 0,
      min: 0,
      max: 1e9,
      help: 'Budget of activation memory at its peak in megabytes (10⁶ bytes); 0 sets none.',
    }),
    crops: int({ default: 1, min: 1, max: 10_000, help: 'How many crops of one sample are fed: they multiply the work.' }),
  },
  study: ({ costs }) => costs.count(),
  report(costs, chosen) {
    const lines = linesOf(costs, chosen);
    const unknown = [...new Set(costs.operators.flatMap((o) => (o.macs === null ? [o.op] : [])))];
    return {
      headline: {
        ...Object.fromEntries(lines.map(({ name, value }) => [name, value])),
        total_activation_bytes: costs.totalBytes ?? Number.NaN,
        over_budget: lines.filter(over).length,
      },
      cards: cardsOf(costs, lines, chosen.crops),
      guide: guideOf(costs, lines),
      notes: [
        ...(unknown.length > 0
          ? [`The work inside ${unknown.join(', ')} cannot be counted and was taken as 0: the model costs more than is said.`]
          : []),
        ...(costs.peakBytes === null ? ['Activation memory is not known: the size of some values could not be told.'] : []),
      ],
    };
  },
});
