import type { LayerActivity, ModelProfile } from '../src/report/model-study.ts';
import type { LayerRow } from '../src/report/tasks.ts';
import { format, given, t, type Words } from './l10n.ts';
import { type Column, type RowTable, rowTable } from './row-table.ts';

export const shapeOf = (dims: LayerRow['dims']): Words =>
  dims === null ? given('?') : dims.length === 0 ? t('scalar') : given(dims.join(' × '));
const macsOf = ({ macs }: LayerRow): Words | '' => (macs === null ? given('?') : macs === 0 ? '' : format(macs, 'count'));

const own: readonly Column<LayerRow>[] = [
  { label: given('#'), numeric: true, sticky: true, width: 40, text: (_, i) => given(String(i + 1)), key: (_, i) => i },
  { label: t('Name'), sticky: true, width: 190, grow: 3, text: ({ name }) => given(name), key: ({ name }) => name },
  { label: t('Operator'), width: 100, grow: 1, rank: 0, text: ({ op }) => given(op), key: ({ op }) => op },
  { label: t('Output shape'), width: 110, grow: 1, rank: 1, text: ({ dims }) => shapeOf(dims), key: ({ dims }) => shapeOf(dims) },
  { label: t('Type'), width: 62, rank: 7, text: ({ dtype }) => given(dtype), key: ({ dtype }) => dtype },
  {
    label: t('Parameters'),
    numeric: true,
    width: 86,
    rank: 2,
    text: ({ parameters }) => (parameters === 0 ? '' : format(parameters, 'count')),
    key: (l) => l.parameters,
  },
  { label: t('MACs'), numeric: true, width: 84, rank: 4, text: macsOf, key: ({ macs }) => macs ?? -1 },
  {
    label: t('Gradient'),
    width: 66,
    rank: 5,
    text: ({ noGradient }) => (noGradient ? t('stops') : t('passes')),
    key: ({ noGradient }) => (noGradient ? 1 : 0),
  },
];

type Values = NonNullable<LayerActivity['values']>;

/** Columns of what a profile found. */
const found = ({ layers, nodesMs }: ModelProfile): readonly Column<LayerRow>[] => {
  const number = (
    label: Words,
    rank: number,
    width: number,
    of: (activity: LayerActivity) => number | null | undefined,
    show: (value: number) => Words | '',
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
  const moment = (label: Words, rank: number, name: 'min' | 'max' | 'mean' | 'deviation'): Column<LayerRow> =>
    number(
      label,
      rank,
      72,
      ({ values }) => values?.[name],
      (v) => format(v),
    );
  const share = (label: Words, rank: number, of: (values: Values) => number): Column<LayerRow> =>
    number(
      label,
      rank,
      60,
      ({ values }) => values && of(values),
      (v) => (v === 0 ? '' : format(v, 'fraction')),
    );
  return [
    number(
      t('Time'),
      0,
      76,
      ({ ms }) => ms,
      (ms) => format(ms, 'ms'),
    ),
    number(
      t('Share'),
      6,
      60,
      ({ ms }) => (ms === null || nodesMs === 0 ? null : ms / nodesMs),
      (v) => format(v, 'fraction'),
    ),
    moment(t('Mean'), 3, 'mean'),
    moment(t('Deviation'), 3, 'deviation'),
    moment(t('Min'), 6, 'min'),
    moment(t('Max'), 6, 'max'),
    share(t('Zeros'), 3, ({ zeros }) => zeros),
    share(t('Not finite'), 2, ({ nan, infinite }) => nan + infinite),
  ];
};

export interface LayerTable extends RowTable<LayerRow> {
  /** Shows or takes away what a profile found. */
  profile(profile: ModelProfile | undefined): void;
}

export const layerTable = (choose: (index: number) => void): LayerTable => {
  const table = rowTable<LayerRow>({
    label: t('Layers'),
    columns: own,
    words: ({ name, op, dims, dtype }) => `${name} ${op} ${shapeOf(dims)} ${dtype}`,
    choose,
  });
  return { ...table, profile: (profile) => table.columns(profile ? [...own, ...found(profile)] : own) };
};
