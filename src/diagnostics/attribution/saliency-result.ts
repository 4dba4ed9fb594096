import type { Subject } from '../../evidence/evidence.ts';
import type { Fact } from '../../report/report.ts';
import { number, percent } from '../wording.ts';
import type { AttributedSamples } from './attribute.ts';
import type { Features } from './one-hot.ts';
import type { Reduction } from './overlay.ts';
import type { Pictures } from './samples.ts';
import type { Sanity } from './sanity.ts';
import type { Signals } from './signal-cards.ts';
import type { TokenRows } from './tokens.ts';

/** Samples attributed, with what is known of them. */
export interface Saliency {
  readonly rows: readonly number[];
  readonly found: AttributedSamples;
  readonly targets: Int32Array;
  readonly predicted: Int32Array;
  readonly labels?: Int32Array;
  readonly pictures?: Pictures;
  /** Names of the inputs, where they are columns. */
  readonly names?: readonly string[];
  readonly sanity?: Sanity;
  readonly tokens?: TokenRows;
  readonly signals?: Signals;
  /** Where columns of one-hot codes were summed to one feature each: `found` and `names` are of features, these their values, [rows, features]. */
  readonly features?: Features & { readonly x: Float32Array };
  /** Channels of pictures; a sum where absent. */
  readonly reduction?: Reduction;
}

/** Above this relative gap a path integral is not yet trusted. */
export const INCOMPLETE = 0.05;

/** Inputs with the largest mean |a|, in falling order. */
export const strongest = (s: Saliency): { readonly input: number; readonly size: number; readonly mean: number }[] => {
  const n = s.rows.length;
  const d = s.found.values.length / n;
  return Array.from({ length: d }, (_, input) => {
    let [size, mean] = [0, 0];
    for (let b = 0; b < n; b++) {
      size += Math.abs(s.found.values[b * d + input]) / n;
      mean += s.found.values[b * d + input] / n;
    }
    return { input, size, mean };
  }).sort((a, b) => b.size - a.size || a.input - b.input);
};

/** An input by the name of its column, its place in a signal, else by its number; or a unit of a layer. */
export const inputName = ({ names, found, signals }: Pick<Saliency, 'names' | 'found' | 'signals'>, input: number): string => {
  if (found.grid?.kind === 'units') return `unit ${input}`;
  if (signals && found.grid?.kind === 'map') return `place ${input}`;
  if (signals) return `channel ${Math.floor(input / signals.places)}, place ${input % signals.places}`;
  return names?.[input] ?? `input ${input}`;
};

/** A class by its name. */
export const nameOf = (k: number, { classes }: Pick<Subject, 'classes'>): string => classes[k] ?? String(k);

/** What a sample was answered. */
export const titleOf = (s: Saliency, b: number, subject: Pick<Subject, 'classes'>): string => {
  if (subject.classes.length < 2) return `row ${s.rows[b]}`;
  const predicted = `predicted ${nameOf(s.predicted[b], subject)}`;
  return s.labels && s.labels[b] !== s.predicted[b] ? `${predicted}, label ${nameOf(s.labels[b], subject)}` : predicted;
};

/** What every map says of itself: model, class, method with its settings, baseline, steps and what it missed. */
const made = (
  { found, targets }: Pick<Saliency, 'found' | 'targets'>,
  b: number,
  subject: Pick<Subject, 'classes' | 'modelName'>,
): readonly Fact[] => [
  ...(subject.modelName ? [{ label: 'Model', value: subject.modelName }] : []),
  ...(subject.classes.length > 1 ? [{ label: 'Class attributed', value: nameOf(targets[b], subject) }] : []),
  ...found.how,
  ...(found.how.some(({ label }) => label === 'Baseline') ? [] : [{ label: 'Baseline', value: 'none' }]),
  { label: 'Steps', value: found.completeness ? found.completeness.steps[b] : 'none' },
];

/** What is printed beside the map of sample `b`. */
export const factsOf = (
  s: Pick<Saliency, 'found' | 'targets'>,
  b: number,
  subject: Pick<Subject, 'classes' | 'modelName'>,
): readonly Fact[] => {
  const { completeness, output } = s.found;
  return [
    ...made(s, b, subject),
    { label: 'Value', value: output[b] },
    ...(completeness
      ? [
          { label: 'Value at the baseline', value: completeness.baselineOutput[b] },
          {
            label: completeness.relative[b] > INCOMPLETE ? 'Completeness gap (too large)' : 'Completeness gap',
            value: completeness.relative[b],
            unit: 'fraction' as const,
          },
        ]
      : [{ label: 'Completeness gap', value: 'not promised by this method' }]),
  ];
};

/** What the maps of several samples say of themselves alike. */
export const sharedFacts = (s: Saliency, at: readonly number[], subject: Pick<Subject, 'classes' | 'modelName'>): readonly Fact[] => {
  const [first, ...others] = at.map((b) => made(s, b, subject));
  const { completeness } = s.found;
  return [
    ...first.filter(({ label, value }) => others.every((own) => own.some((f) => f.label === label && f.value === value))),
    completeness
      ? {
          label: at.length > 1 ? 'Completeness gap, largest' : 'Completeness gap',
          value: Math.max(...at.map((b) => completeness.relative[b])),
          unit: 'fraction',
        }
      : { label: 'Completeness gap', value: 'not promised by this method' },
  ];
};

const told = ({ label, value, unit }: Fact): string =>
  `${label}: ${typeof value === 'string' ? value : unit === 'fraction' ? percent(value) : unit === 'seconds' ? `${number(value)} s` : number(value)}`;

/** The same as the caption of a card that holds no facts, with where and how long (pictures are given these by the page). */
export const factLine = (s: Saliency, at: readonly number[], subject: Pick<Subject, 'classes' | 'modelName' | 'ran'>): string => {
  const { ran } = subject;
  const place: readonly Fact[] = ran
    ? [
        { label: 'Device', value: ran.device },
        { label: 'Time for the run', value: ran.seconds, unit: 'seconds' },
      ]
    : [];
  return `${[...sharedFacts(s, at, subject), ...place].map(told).join('; ')}.`;
};
