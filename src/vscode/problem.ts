import { Fault } from '../base/fault.ts';
import { t } from './l10n.ts';

/** What the user may do about it. */
export type Remedy = 'choose' | 'open' | 'device' | 'again' | 'log';

/** One sentence, and ways out of it. */
export interface Problem {
  readonly sentence: string;
  readonly remedies: readonly Remedy[];
  /** The file to open, with `open`. */
  readonly file?: string;
}

export const remedyTitle = (remedy: Remedy): string => {
  switch (remedy) {
    case 'choose':
      return t('Choose Another…');
    case 'open':
      return t('Open File');
    case 'device':
      return t('Change Device');
    case 'again':
      return t('Run Again');
    case 'log':
      return t('Show Log');
  }
};

const pathIn = (detail: unknown): string | undefined =>
  typeof detail === 'object' && detail !== null && 'path' in detail && typeof detail.path === 'string' ? detail.path : undefined;

/** Files that a person can read and mend in a text editor. */
const isText = (path: string): boolean => /\.(json|csv|tsv|txt)$/.test(path);

/** What is said of an error; undefined where it was stopped on request. */
export const problemOf = (error: unknown): Problem | undefined => {
  if (!(error instanceof Fault))
    return { sentence: t('Assay failed: {0}', error instanceof Error ? error.message : String(error)), remedies: ['log'] };
  if (Fault.is(error, 'job/stopped')) return undefined;
  if (Fault.is(error, 'job/crashed')) return { sentence: error.message, remedies: ['again', 'log'] };
  if (Fault.is(error, 'runtime/platform')) return { sentence: error.message, remedies: ['log'] };
  if (Fault.is(error, 'run/unknown') || Fault.is(error, 'run/unreadable')) return { sentence: error.message, remedies: [] };
  if (Fault.is(error, 'runtime/device')) return { sentence: error.message, remedies: ['device', 'choose'] };
  const path = pathIn(error.detail);
  return path !== undefined && isText(path) && !Fault.is(error, 'file/missing')
    ? { sentence: error.message, remedies: ['open', 'choose'], file: path }
    : { sentence: error.message, remedies: ['choose'] };
};
