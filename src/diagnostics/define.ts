import type { Job } from '../base/job.ts';
import type { Chosen, Options } from '../base/option.ts';
import type { Evidence, Noun, Subject, ToolName, Tools } from '../evidence/evidence.ts';
import type { Card, Interval, Report } from '../report/report.ts';

/** What a diagnostic says; the app adds provenance and samples. NaN in a headline is left out of it. */
export interface Findings {
  readonly headline: Readonly<Record<string, number>>;
  readonly intervals?: Readonly<Record<string, Interval>>;
  readonly cards: readonly Card[];
  /** How to read this, and what would change the decision: one plain paragraph. */
  readonly guide: string;
  readonly notes?: readonly string[];
}

type Shown = Pick<Report, 'cards' | 'headline'>;
/** Two runs as pairs of rows that both reports show. */
export interface PairedRuns {
  /** Rows that both show. */
  readonly rows: number;
  /** Name of the headline → correlation of the two estimates over draws of rows. */
  readonly correlations: Readonly<Record<string, number>>;
  /** Truths among them that are distinct: many that agree are those of the same rows, whatever file they come from. */
  readonly distinct: number;
  readonly cards: readonly Card[];
  /** What the pairs say: a sentence. */
  readonly guide: string;
}

interface Meta<O extends Options> {
  /** Kebab-case noun, the file's name. */
  readonly id: string;
  readonly title: string;
  readonly family: 'calibration' | 'metrics' | 'attribution' | 'training' | 'robustness' | 'landscape' | 'data' | 'representation';
  readonly question: string;
  /** Paper (arXiv, doi) and card, e.g. `arXiv:1706.04599; card 00-calibration-common`. */
  readonly source: string;
  readonly options: O;
  /** It judges confidences, which scores without a size of their own have none of. */
  readonly confidences?: true;
  /** Every name the headline may have, so that gates on others are found while they are written; `*` stands for any text. */
  readonly numbers?: readonly string[];
  /** Pairs two of its reports by the rows that they show; undefined where these are not the same. */
  readonly pairRuns?: (a: Shown, b: Shown, names: readonly [string, string]) => PairedRuns | undefined;
}

/** One streamed pass. State is plain data (structured-clonable), so it merges, moves between processes and resumes. */
export interface Fold<O extends Options = Options, N extends Noun = Noun, S = unknown, R = unknown> extends Meta<O> {
  readonly shape: 'fold';
  readonly needs: readonly N[];
  /** Takes rows whose prediction is missing (NaN). */
  readonly missing?: boolean;
  start(chosen: Chosen<O>, subject: Subject): S;
  add(state: S, batch: Pick<Evidence, N>, chosen: Chosen<O>): void;
  merge(state: S, other: S): void;
  result(state: S, chosen: Chosen<O>, job: Pick<Job, 'random' | 'signal' | 'progress'>): Promise<R> | R;
  report(result: R, chosen: Chosen<O>, subject: Subject): Findings;
}

/** Asks tools questions. */
export interface Study<O extends Options = Options, T extends ToolName = ToolName, R = unknown> extends Meta<O> {
  readonly shape: 'study';
  readonly uses: readonly T[];
  study(tools: Pick<Tools, T>, chosen: Chosen<O>, job: Job, subject: Subject): Promise<R>;
  report(result: R, chosen: Chosen<O>, subject: Subject): Findings;
}

/** What the registry holds: types erased at the door, by the one cast here. */
export type Diagnostic = Fold | Study;

/** A study may be content with the scores that a table of predictions holds. */
export const needsModel = (d: Diagnostic): boolean =>
  d.shape === 'study' && d.uses.some((tool) => ['gradient', 'samples', 'costs', 'weights', 'loss', 'biases', 'attacks'].includes(tool));

/** It looks at two models, or tables of predictions, on the same rows. */
export const comparesTwo = (d: Diagnostic): boolean => d.shape === 'study' && d.uses.includes('pair');

export const defineFold = <const O extends Options, const N extends Noun, S, R>(fold: Omit<Fold<O, N, S, R>, 'shape'>): Diagnostic =>
  ({ shape: 'fold', ...fold }) as unknown as Diagnostic;

export const defineStudy = <const O extends Options, const T extends ToolName, R>(study: Omit<Study<O, T, R>, 'shape'>): Diagnostic =>
  ({ shape: 'study', ...study }) as unknown as Diagnostic;
