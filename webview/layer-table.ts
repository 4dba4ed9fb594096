import { format } from '../src/report/format.ts';
import type { LayerActivity, ModelProfile } from '../src/report/model-study.ts';
import type { LayerRow } from '../src/report/tasks.ts';
import { type Column, type RowTable, rowTable } from './row-table.ts';

export const shapeOf = (dims: LayerRow['dims']): string => (dims === null ? '?' : dims.length === 0 ? 'scalar' : dims.join(' × '));
const macsOf = ({ macs }: LayerRow): string => (macs === null ? '?' : macs === 0 ? '' : format(macs, 'count'));

const own: readonly Column<LayerRow>[] = [
  { label: '#', numeric: true, sticky: true, width: 40, text: (_, i) => String(i + 1), key: (_, i) => i },
  { label: 'Name', sticky: true, width: 190, grow: 3, text: ({ name }) => name, key: ({ name }) => name },
  { label: 'Operator', width: 100, grow: 1, rank: 0, text: ({ op }) => op, key: ({ op }) => op },
  { label: 'Output shape', width: 110, grow: 1, rank: 1, text: ({ dims }) => shapeOf(dims), key: ({ dims }) => shapeOf(dims) },
  { label: 'Type', width: 62, rank: 7, text: ({ dtype }) => dtype, key: ({ dtype }) => dtype },
  {
    label: 'Parameters',
    numeric: true,
    width: 86,
    rank: 2,
    text: ({ parameters }) => (parameters === 0 ? '' : format(parameters, 'count')),
    key: (l) => l.parameters,
  },
  { label: 'MACs', numeric: true, width: 84, rank: 4, text: macsOf, key: ({ macs }) => macs ?? -1 },
  {
    label: 'Gradient',
    width: 66,
    rank: 5,
    text: ({ noGradient }) => (noGradient ? 'stops' : 'passes'),
    key: ({ noGradient }) => (noGradient ? 1 : 0),
  },
];

type Values = NonNullable<LayerActivity['values']>;

/** Columns of what a profile found. */
const found = ({ layers, nodesMs }: ModelProfile): readonly Column<LayerRow>[] => {
  const number = (
    label: string,
    rank: number,
    width: number,
    of: (activity: LayerActivity) => number | null | undefined,
    show: (value: number) => string,
  ): Column<LayerRow> => ({
    label,
    numeric: true,
    width,
    rank,
    text(_, i) {
      const value = of(layers[i]);
      return value === null || value === undefined ? '' : show(value);
    },
    key: (_, i) => of(layers[i]) ?? Number.NEGATIVE_INFINITY,
  });
  const moment = (label: string, rank: number, name: 'min' | 'max' | 'mean' | 'deviation'): Column<LayerRow> =>
    number(
      label,
      rank,
      72,
      ({ values }) => values?.[name],
      (v) => format(v),
    );
  const share = (label: string, rank: number, of: (values: Values) => number): Column<LayerRow> =>
    number(
      label,
      rank,
      60,
      ({ values }) => values && of(values),
      (v) => (v === 0 ? '' : format(v, 'fraction')),
    );
  return [
    number(
      'Time',
      0,
      76,
      ({ ms }) => ms,
      (ms) => format(ms, 'ms'),
    ),
    number(
      'Share',
      6,
      60,
      ({ ms }) => (ms === null || nodesMs === 0 ? null : ms / nodesMs),
      (v) => format(v, 'fraction'),
    ),
    moment('Mean', 3, 'mean'),
    moment('Deviation', 3, 'deviation'),
    moment('Min', 6, 'min'),
    moment('Max', 6, 'max'),
    share('Zeros', 3, ({ zeros }) => zeros),
    share('Not finite', 2, ({ nan, infinite }) => nan + infinite),
  ];
};

export interface LayerTable extends RowTable<LayerRow> {
  /** Shows or takes away what a profile found. */
  profile(profile: ModelProfile | undefined): void;
}

export const layerTable = (choose: (index: number) => void): LayerTable => {
  const table = rowTable<LayerRow>({
    label: 'Layers',
    columns: own,
    words: ({ name, op, dims, dtype }) => `${name} ${op} ${shapeOf(dims)} ${dtype}`,
    choose,
  });
  return { ...table, profile: (profile) => table.columns(profile ? [...own, ...found(profile)] : own) };
};
