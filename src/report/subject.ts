import type { Provenance } from './report.ts';

/** What was measured, with `shown` for every path: a model on its data, or a table; and what it was compared with. */
export const subjectOf = ({ modelPath, dataPath, against }: Provenance, shown: (path: string) => string): string => {
  const other = against?.modelPath ?? against?.dataPath;
  // A model of its own data is named with it.
  const onOther = against?.modelPath !== undefined && against.dataPath !== undefined && against.dataPath !== dataPath;
  return [
    shown(modelPath ?? dataPath),
    ...(other === undefined ? [] : [`against ${shown(other)}${onOther ? ` (on ${shown(against.dataPath ?? '')})` : ''}`]),
    ...(modelPath === undefined ? [] : [`on ${shown(dataPath)}`]),
  ].join(' ');
};
