import type { Catalogue } from '../../base/catalogue.ts';
import type { FileOutline } from '../../report/tasks.ts';
import type { Host } from '../define.ts';
import type { History } from '../history.ts';
import type { Outlines } from './outlines.ts';
import { filesOf, type SuiteFacts, suiteTree } from './suite-tree.ts';

export interface FactPorts {
  readonly catalogue: Catalogue;
  readonly history: Pick<History, 'runs'>;
  readonly outlines: Outlines;
  find: Host['find'];
}

export interface FactFinder {
  /** What is known of the files that an `assay.json` names, from their headers or only by name, and of those it could name. */
  of(text: string, suite: string, read: 'headers' | 'names'): Promise<SuiteFacts>;
  /** Files came or went. */
  forget(): void;
}

/** Names of headline numbers by diagnostic: those it declares, else those that earlier runs here had. */
const numbersOf = (
  { diagnostics }: Catalogue,
  runs: Awaited<ReturnType<History['runs']>>,
): ((id: string) => { readonly names: readonly string[]; readonly all: boolean }) => {
  const seen = new Map<string, Set<string>>();
  for (const { id, headline } of runs.flatMap(({ reports }) => reports))
    for (const name of Object.keys(headline)) seen.set(id, (seen.get(id) ?? new Set()).add(name));
  return (id) => {
    const declared = diagnostics.find((d) => d.id === id)?.numbers;
    return declared
      ? { names: [...new Set([...declared, ...(seen.get(id) ?? [])])], all: true }
      : { names: [...(seen.get(id) ?? [])], all: false };
  };
};

export const factFinder = ({ catalogue, history, outlines, find }: FactPorts): FactFinder => {
  let files: Promise<readonly [readonly string[], readonly string[]]> | undefined;
  const endings = catalogue.readers.flatMap((reader) => reader.endings);
  return {
    async of(text, suite, read) {
      files ??= Promise.all([find('**/*.onnx'), find(`**/*{${endings.join(',')}}`)]);
      const named = filesOf(suite, suiteTree(text), { catalogue });
      const [[models, data], known, runs] = await Promise.all([
        files,
        read === 'headers' ? outlines.look(named) : outlines.there(named),
        history.runs(),
      ]);
      return {
        catalogue,
        models,
        data,
        exists: (path) => (known.has(path) ? known.get(path) !== null : undefined),
        outline: (path): FileOutline | undefined => known.get(path) ?? undefined,
        numbers: numbersOf(catalogue, runs),
      };
    },
    forget() {
      files = undefined;
    },
  };
};
