import type { UseCase } from './ports.ts';
import { dataRef, modelRef } from './suite.ts';
import { readSuiteFile } from './suite-file.ts';

/** The entries of an `assay.json`, for those who are told a name. */
export const names: UseCase<'names'> = async ({ suite: path }, ports, { signal }) => {
  const source = await ports.source(path);
  const { suite } = readSuiteFile(new TextDecoder().decode(await source.read(0, source.size, signal)), path);
  return {
    models: Object.fromEntries(Object.entries(suite.models ?? {}).map(([name, ref]) => [name, modelRef(ref, path, ports)])),
    datasets: Object.fromEntries(Object.entries(suite.datasets ?? {}).map(([name, ref]) => [name, dataRef(ref, path, ports)])),
  };
};
