import type { Subject } from '../../evidence/evidence.ts';
import type { Axis } from '../../report/report.ts';
import type { Reliability, ReliabilityOptions } from './scores.ts';

/** What the report draws besides. */
export interface ReportOptions extends ReliabilityOptions {
  readonly group: string;
  readonly classDiagrams: number;
}

/** What the axes of a diagram are called: answers and their confidence, or one class and its probability. */
export interface Words {
  readonly claim: string;
  readonly meanClaim: string;
  readonly share: string;
  /** After 'share of'. */
  readonly right: string;
  /** What is counted: each has one claim that came true or not. */
  readonly counted: string;
}

/** Of answers. */
export const answers: Words = {
  claim: 'Confidence',
  meanClaim: 'Mean confidence',
  share: 'Accuracy',
  right: 'right answers',
  counted: 'Rows',
};

export const wordsOf = ({ positive }: Pick<Reliability, 'positive'>, { classes }: Pick<Subject, 'classes'>): Words => {
  if (positive < 0) return answers;
  const name = classes[positive] ?? String(positive);
  return {
    claim: `Probability of ‘${name}’`,
    meanClaim: 'Mean probability',
    share: `Share of ‘${name}’`,
    right: `rows of class ‘${name}’`,
    counted: 'Rows',
  };
};

export const claimAxis = ({ claim }: Pick<Words, 'claim'>): Axis => ({ label: claim, unit: 'fraction', min: 0, max: 1 });
export const shareAxis = ({ share }: Pick<Words, 'share'>): Axis => ({ label: share, unit: 'fraction', min: 0, max: 1 });
