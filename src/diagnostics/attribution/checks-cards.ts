import type { Subject } from '../../evidence/evidence.ts';
import type { Card, Interval } from '../../report/report.ts';
import { number, percent } from '../wording.ts';
import type { Checks, ChecksOptions } from './checks-run.ts';
import { methodTitles } from './method-names.ts';
import { factLine, INCOMPLETE } from './saliency-result.ts';
import { KEPT, LOST, sanityFindings } from './sanity-cards.ts';

interface Check {
  readonly name: string;
  readonly found: string;
  readonly due: string;
  /** Undefined where the method promises nothing, or the samples tell nothing. */
  readonly passes?: boolean;
}

const checksOf = ({ rows, sanity, sensitivityA, labels }: Checks): readonly Check[] => {
  const { completeness } = rows.found;
  const worst = completeness ? Math.max(...completeness.relative) : Number.NaN;
  const last = sanity.stages.at(-1);
  const { headline } = sanityFindings(sanity);
  const above = (name: string, key: string): Check[] =>
    Number.isFinite(headline[key])
      ? [{ name, found: number(headline[key]), due: 'above 0: better than a random order', passes: headline[key] > 0 }]
      : [];
  return [
    completeness
      ? {
          name: 'Completeness',
          found: `largest gap ${percent(worst)}`,
          due: `at most ${percent(INCOMPLETE)} of the change`,
          passes: worst <= INCOMPLETE,
        }
      : { name: 'Completeness', found: 'not promised by this method', due: '' },
    sensitivityA && sensitivityA.tested > 0
      ? {
          name: 'Sensitivity (a)',
          found: `${sensitivityA.tested - sensitivityA.missed} of ${sensitivityA.tested} inputs that alone change the output are attributed`,
          due: 'all',
          passes: sensitivityA.missed === 0,
        }
      : { name: 'Sensitivity (a)', found: 'not promised by this method with this baseline', due: '' },
    ...(last && Number.isFinite(last.spearman)
      ? [
          {
            name: 'Parameter randomisation',
            found: `rank correlation ${number(last.spearman)} (${number(last.nonzero)} where the input is not 0)`,
            due: `below ${LOST} with all weights redrawn`,
            passes: last.spearman < LOST,
          },
        ]
      : []),
    ...(labels && Number.isFinite(labels.spearman)
      ? [
          {
            name: 'Label randomisation',
            found: `rank correlation ${number(labels.spearman)} (${number(labels.nonzero)} where the input is not 0)`,
            due: `below ${KEPT} between copies trained on the labels and on shuffled ones`,
            passes: labels.spearman < KEPT,
          },
        ]
      : []),
    ...above('Deletion', 'deletion_advantage'),
    ...above('Insertion', 'insertion_advantage'),
    ...(sanity.infidelity
      ? [
          {
            name: 'Infidelity',
            found: number(sanity.infidelity.relative),
            due: 'below 1: better than an empty map',
            passes: sanity.infidelity.relative < 1,
          },
        ]
      : []),
  ];
};

export const checksHeadline = (c: Checks): Record<string, number> => {
  const all = checksOf(c);
  const { completeness } = c.rows.found;
  return {
    rows: c.sanity.samples,
    checks_passed: all.filter((one) => one.passes === true).length,
    checks_failed: all.filter((one) => one.passes === false).length,
    ...(completeness ? { completeness_gap_relative_max: Math.max(...completeness.relative) } : {}),
    ...(c.sensitivityA ? { sensitivity_a_missed: c.sensitivityA.missed, sensitivity_a_tested: c.sensitivityA.tested } : {}),
    ...(c.labels
      ? {
          label_randomised_spearman: c.labels.spearman,
          label_randomised_spearman_nonzero: c.labels.nonzero,
          label_accuracy: c.labels.accuracy,
          shuffled_label_accuracy: c.labels.shuffledAccuracy,
        }
      : {}),
    ...sanityFindings(c.sanity).headline,
  };
};

export const checksIntervals = ({ sanity }: Checks): Readonly<Record<string, Interval>> => sanityFindings(sanity).intervals;
export const checksNotes = ({ sanity, labels }: Checks): readonly string[] => [
  ...sanityFindings(sanity).notes,
  ...(labels && labels.accuracy < labels.shuffledAccuracy + 0.1
    ? [
        'The copy trained on the labels hardly fits them better than that on shuffled labels: train longer before reading the label randomisation.',
      ]
    : []),
];

export const checksCards = (c: Checks, subject: Subject): Card[] => {
  const { verdict, curves } = sanityFindings(c.sanity);
  return [
    {
      kind: 'table',
      title: 'Checks',
      caption: factLine(
        c.rows,
        c.rows.rows.map((_, b) => b),
        subject,
      ),
      columns: [
        { name: 'check', label: 'Check', type: 'text' },
        { name: 'verdict', label: 'Verdict', type: 'text' },
        { name: 'found', label: 'Found', type: 'text' },
        { name: 'due', label: 'Passes when', type: 'text' },
      ],
      rows: checksOf(c).map(({ name, passes, found, due }) => [
        name,
        passes === undefined ? 'does not apply' : passes ? 'passes' : 'fails',
        found,
        due,
      ]),
    },
    ...verdict,
    ...curves,
  ];
};

export const checksGuide = (c: Checks, { method, labelRandomisation }: Pick<ChecksOptions, 'method' | 'labelRandomisation'>): string => {
  const failed = checksOf(c).filter((one) => one.passes === false);
  const decision =
    failed.length === 0
      ? `${methodTitles[method]} passes every check that applies to it here, so its maps may be read as being about this model`
      : `${methodTitles[method]} fails ${failed.map(({ name }) => name.toLowerCase()).join(', ')} here: do not rest a decision on its maps before that is understood`;
  const labels = labelRandomisation
    ? ''
    : ' Whether maps follow what was learned from the labels is told by labelRandomisation, which trains two copies.';
  return `${decision}. Passing is necessary, not sufficient: a map can follow the weights and still not mark what discriminates, which the attribution audit tests by retraining.${labels} Another method, another baseline, or more samples may change a verdict; one that fails with all weights redrawn draws the input whatever the model is.`;
};
