import type { Subject } from '../../evidence/evidence.ts';
import { number, percent } from '../wording.ts';
import type { Summary } from './attribution-summary.ts';
import { inputName, nameOf } from './saliency-result.ts';

const features = ({ features: all, rows }: Summary): string => {
  const total = all.reduce((sum, f) => sum + f.size, 0);
  if (all.length === 0 || total === 0) return '';
  const half = all.findIndex((_, k) => all.slice(0, k + 1).reduce((sum, f) => sum + f.size, 0) >= total / 2) + 1;
  const [first] = all;
  // Where several classes are attributed, a value that speaks for one speaks against another.
  const trend =
    Number.isNaN(first.trend) || new Set(rows.targets).size > 1
      ? ''
      : Math.abs(first.trend) < 0.3
        ? ', in a way that does not simply grow with its value'
        : first.trend > 0
          ? ', larger values speaking for the class'
          : ', larger values speaking against it';
  return ` ${inputName(rows, first.input)} matters most (mean size ${number(first.size)})${trend}; half of all attribution lies in ${half} of ${all.length} features.`;
};

/** Classes and accuracy of a cluster against the rest. */
const kinds = ({ clusters, rows }: Summary, subject: Pick<Subject, 'classes'>): string => {
  if (!clusters) return '';
  const { silhouette, of } = clusters.clusters;
  if (!(silhouette > 0.15)) return ' Maps do not fall into distinct kinds.';
  const sizes = Array.from({ length: clusters.count }, (_, c) => of.filter((k) => k === c).length);
  const pure = sizes.flatMap((size, c) => {
    const targets = rows.targets.filter((_, b) => of[b] === c);
    const counts = new Map<number, number>();
    for (const t of targets) counts.set(t, (counts.get(t) ?? 0) + 1);
    const [top] = [...counts].sort((a, b) => b[1] - a[1]);
    return top && size >= 4 && size < rows.rows.length / 2 && top[1] / size >= 0.9 && subject.classes.length > 1
      ? [{ c, name: nameOf(top[0], subject), size }]
      : [];
  });
  const small = pure.at(0);
  const shortcut = small
    ? ` Kind ${small.c + 1} holds ${percent(small.size / rows.rows.length)} of the rows, nearly all of class ${small.name}: look at its typical rows for something besides the object that gives the class away.`
    : '';
  return ` Maps fall into ${clusters.count} kinds (silhouette ${number(silhouette)}).${shortcut}`;
};

export const summaryGuide = (s: Summary, subject: Pick<Subject, 'classes'>): string =>
  `Means over ${s.rows.rows.length} rows hide what single rows rest on: a feature can matter in few rows and much there.${features(s)}${kinds(s, subject)} Attributions tell what this model uses, not what causes the outcome; a feature that should not matter and ranks high is a reason to retrain without it and compare.`;
