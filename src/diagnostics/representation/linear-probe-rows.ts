import { Fault } from '../../base/fault.ts';
import type { Random } from '../../base/random.ts';
import type { FeatureAsk, FeaturesTool, FeatureTable } from '../../evidence/features.ts';
import { heldOutThird } from '../held-out.ts';

/** Rows to fit on and rows to be judged on; none is both. */
export interface ProbeRows {
  readonly fit: FeatureTable;
  readonly shown: FeatureTable;
  /** Labels in both tables count from 0 in this list of those that there are in the data. */
  readonly labels: readonly number[];
  readonly names: readonly string[];
  readonly notes: readonly string[];
}

/** Rows of a table by their places. */
const taken = ({ width, rows, features, labels, ...table }: FeatureTable, places: readonly number[]): FeatureTable => {
  const out = new Float32Array(places.length * width);
  places.forEach((p, i) => void out.set(features.subarray(p * width, (p + 1) * width), i * width));
  return {
    ...table,
    width,
    rows: Float64Array.from(places, (p) => rows[p]),
    labels: Int32Array.from(places, (p) => labels[p]),
    features: out,
  };
};

/** From so many values on, with fewer than two rows each, labels are a measured number. */
const manyClasses = 20;
/** A class is a row of weights: more of them are no classes. */
const mostClasses = 100_000;
const oneOrMore = (n: number, thing: string): string => `${n} ${thing}${n === 1 ? '' : 's'}`;

const withoutShown = (
  fit: FeatureTable,
  { rows }: FeatureTable,
  split: string,
): { readonly fit: FeatureTable; readonly notes: string[] } => {
  const shown = new Set(rows);
  const kept = Array.from(fit.rows.keys()).filter((p) => !shown.has(fit.rows[p]));
  const dropped = fit.rows.length - kept.length;
  if (kept.length === 0) throw new Fault('diagnostic/calibration-empty', { split });
  if (dropped === 0) return { fit, notes: [] };
  return {
    fit: taken(fit, kept),
    notes: [`${oneOrMore(dropped, 'row')} of split '${split}' are among those shown and were left out of the fit.`],
  };
};

/** Reads the features of both parts and checks that there is something to fit. */
export const probeRows = async (
  tool: FeaturesTool,
  { fitOn, ...ask }: Omit<FeatureAsk, 'split'> & { readonly fitOn: string },
  random: Random,
): Promise<ProbeRows> => {
  const all = await tool.read(ask);
  const notes: string[] = [];
  let [fit, shown] = [all, all];
  if (fitOn === '') {
    const parts = heldOutThird(all.labels, random);
    [fit, shown] = [taken(all, parts.fit), taken(all, parts.shown)];
    notes.push(
      `No split to fit on was named (fitOn), so of ${oneOrMore(all.rows.length, 'row')} every third of each class was held out to be judged on, and the others were fitted on.`,
    );
  } else {
    const rest = withoutShown(await tool.read({ ...ask, split: fitOn }), all, fitOn);
    fit = rest.fit;
    notes.push(...rest.notes);
  }
  const labels = [...new Set(fit.labels)].sort((a, b) => a - b);
  if (labels.length > manyClasses && fit.rows.length < 2 * labels.length)
    throw new Fault('diagnostic/labels-measured', { classes: labels.length, rows: fit.rows.length });
  if (shown.rows.length === 0 || fit.rows.length === 0)
    throw new Fault('diagnostic/probe-rows', { fit: fit.rows.length, shown: shown.rows.length });
  const names = labels.map((l) => all.classNames?.[l] ?? String(l));
  if (labels.length < 2) throw new Fault('diagnostic/one-class', { title: 'A probe', rows: fit.rows.length });
  if (labels.length > mostClasses) throw new Fault('diagnostic/probe-classes', { classes: labels.length, most: mostClasses });
  const place = new Map(labels.map((l, k) => [l, k]));
  const unseen = shown.labels.find((l) => !place.has(l));
  if (unseen !== undefined) throw new Fault('diagnostic/class-missing', { title: 'A probe', class: unseen, rows: fit.rows.length });
  const renumbered = (table: FeatureTable): FeatureTable => ({ ...table, labels: table.labels.map((l) => place.get(l) ?? 0) });
  [fit, shown] = [renumbered(fit), renumbered(shown)];
  const counts = new Int32Array(labels.length);
  for (const k of fit.labels) counts[k]++;
  const single = names.filter((_, k) => counts[k] === 1);
  if (single.length > 0)
    notes.push(
      `There is 1 example of class ${single.slice(0, 10).join(', ')}${single.length > 10 ? ', …' : ''} to fit on: its variance is taken from the other classes.`,
    );
  const { width, features } = fit;
  let varies = false;
  for (let i = width; i < features.length && !varies; i++) varies = features[i] !== features[i % width];
  if (!varies) throw new Fault('diagnostic/constant-features', { layer: fit.layer, features: width });
  return { fit, shown, labels, names, notes };
};
