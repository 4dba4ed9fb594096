import type { Target } from './define.ts';

interface FileAddress {
  readonly scheme: string;
  readonly fsPath: string;
}
const isAddress = (value: unknown): value is FileAddress =>
  typeof value === 'object' && value !== null && 'fsPath' in value && 'scheme' in value && typeof value.fsPath === 'string';
const isRun = (value: unknown): value is { readonly id: string; readonly startedAt: string } =>
  typeof value === 'object' && value !== null && 'id' in value && 'startedAt' in value;
const isFile = (value: unknown): value is { readonly path: string } =>
  typeof value === 'object' && value !== null && 'path' in value && typeof value.path === 'string';

/** A failed check in the Test Explorer: its message names the run and the card. */
const isTestMessage = (value: unknown): value is { readonly message: { readonly contextValue: string } } =>
  typeof value === 'object' &&
  value !== null &&
  'message' in value &&
  typeof value.message === 'object' &&
  value.message !== null &&
  'contextValue' in value.message &&
  typeof value.message.contextValue === 'string';

/** What a test message says of its card, for the commands on it. */
export const cardContext = (run: string, focus: string): string => `assay-card ${run} ${focus}`;

const filesOf = (paths: readonly string[]): Pick<Target, 'files'> => (paths.length > 1 ? { files: paths } : {});

/** Tabs that stand for no file: a command in their title is about what they show. */
const noFile: ReadonlySet<string> = new Set(['untitled', 'webview-panel']);

/**
 * What a command was invoked on: files of the explorer, runs or entries of their views, or a target as lenses and links give it.
 * `selected` is all that is chosen there, of which the first is the one clicked.
 */
export const targetOf = (first: unknown, selected?: unknown): Target => {
  const all: readonly unknown[] = Array.isArray(selected) && selected.length > 1 ? selected : [first];
  if (isAddress(first)) {
    if (first.scheme !== 'file') return noFile.has(first.scheme) ? {} : { elsewhere: String(first) };
    const paths = all.filter(isAddress).map(({ fsPath }) => fsPath);
    return { file: first.fsPath, ...filesOf(paths) };
  }
  if (isRun(first)) return { runs: all.filter(isRun).map(({ id }) => id) };
  if (isFile(first)) {
    const { file, suite, model, data } = first as Target;
    return {
      ...(file === undefined ? {} : { file }),
      ...(suite === undefined ? {} : { suite }),
      ...(model === undefined ? {} : { model }),
      ...(data === undefined ? {} : { data }),
      files: all.filter(isFile).map(({ path }) => path),
    };
  }
  if (isTestMessage(first)) {
    const [, run, focus] = first.message.contextValue.split(' ');
    return focus === undefined ? {} : { runs: [run], focus };
  }
  return typeof first === 'object' && first !== null ? first : {};
};
