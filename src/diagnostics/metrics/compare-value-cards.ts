import type { ValueDifferences } from '../../evidence/pair.ts';
import type { Card } from '../../report/report.ts';
import { number } from '../wording.ts';

/** Rows of the table of values: the first, and those that lie furthest apart. */
const LISTED = 200;

/** How far values inside two models lie apart, in the order in which they are computed. */
export const valueCards = (found: ValueDifferences | undefined, deviation: number): Card[] => {
  if (!found || found.values.length === 0) return [];
  const { values, rows, of } = found;
  const numbered = values.map((v, i) => ({ ...v, at: i + 1 }));
  const first = numbered.find(({ relative }) => relative === null || relative > deviation);
  const furthest = new Set(
    [...numbered].sort((a, b) => (b.relative ?? Number.MAX_VALUE) - (a.relative ?? Number.MAX_VALUE) || a.at - b.at).slice(0, LISTED),
  );
  const listed = numbered.filter((v) => furthest.has(v));
  return [
    {
      kind: 'curve',
      title: 'Difference inside, value by value',
      caption: `‖difference‖₂/‖other‖₂ over ${rows} ${rows === 1 ? 'row' : 'rows'} of ${values.length} values that both files hold under one name, of ${of[0]} and ${of[1]}, in the order of the first. ${first ? `The first beyond ${number(deviation)} is '${first.name}' (${first.op}), number ${first.at}.` : `None is beyond ${number(deviation)}.`} Values that are equal are not drawn.`,
      x: { label: 'Value', unit: 'count', min: 1, max: Math.max(2, values.length) },
      y: { label: 'Relative difference', unit: 'none', scale: 'log' },
      lines: [
        {
          name: 'Relative difference',
          points: numbered.flatMap(({ at, relative }) => (relative ? [[at, relative] as const] : [])),
          shape: 'points',
        },
        {
          name: 'Deviation',
          points: [
            [1, deviation],
            [Math.max(2, values.length), deviation],
          ],
        },
      ],
    },
    {
      kind: 'table',
      title: 'Values inside',
      caption: `${first ? `The first to deviate is '${first.name}'. ` : ''}Largest absolute difference, difference relative to the size of the other's value, and cosine of the angle between the two.${listed.length < values.length ? ` The ${listed.length} of ${values.length} furthest apart are listed, in the order of the file.` : ''}`,
      columns: [
        { name: 'at', label: 'Number', type: 'number', unit: 'count' },
        { name: 'value', label: 'Value', type: 'text' },
        { name: 'op', label: 'Operator', type: 'text' },
        { name: 'elements', label: 'Elements', type: 'number', unit: 'count' },
        { name: 'max_abs', label: 'Largest difference', type: 'number' },
        { name: 'relative', label: 'Relative', type: 'number' },
        { name: 'cosine', label: 'Cosine', type: 'number' },
        { name: 'deviates', label: 'Deviates', type: 'text' },
      ],
      rows: listed.map((v) => [
        v.at,
        v.name,
        v.op,
        v.elements,
        v.maxAbs,
        v.relative,
        v.cosine,
        v === first ? 'first' : v.relative === null || v.relative > deviation ? 'yes' : '',
      ]),
    },
  ];
};
