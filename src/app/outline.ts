import { Fault } from '../base/fault.ts';
import type { Dataset } from '../data/define.ts';
import { staticTypes } from '../graph/static-types.ts';
import type { TensorType, ValueInfo } from '../graph/types.ts';
import { freeInputs } from '../graph/walk.ts';
import type { DataColumn, FileOutline, ModelValue } from '../report/tasks.ts';
import { openHeaders } from './model-headers.ts';
import type { AppJob, Ports, UseCase } from './ports.ts';

const endOf = ({ name, type }: ValueInfo, types: ReadonlyMap<string, TensorType>): ModelValue => {
  const told = type?.kind === 'tensor' && type.dims ? type : types.get(name);
  return { name, dtype: told?.dtype ?? type?.kind ?? 'unknown', dims: told?.dims?.map((d) => d ?? '?') ?? null };
};

const columnOf = ({ name, dtype, dims }: DataColumn): DataColumn => ({ name, dtype, dims: [...dims] });

export const outlineOfData = (path: string, { format, length, columns, extras }: Dataset): Extract<FileOutline, { kind: 'data' }> => ({
  path,
  kind: 'data',
  format,
  rows: length,
  columns: columns.map(columnOf),
  extras: extras.map((extra) => ({ ...columnOf(extra), length: extra.length })),
});

/** Inputs and outputs of a model from its headers; nothing is run. */
export const outlineOfModel = async (path: string, ports: Ports, job: AppJob): Promise<Extract<FileOutline, { kind: 'model' }>> => {
  const { graph } = (await openHeaders(path, ports, job)).model;
  // Types that the file leaves open are inferred only where it does so.
  const told = graph.outputs.every(({ type }) => type?.kind === 'tensor' && type.dims);
  const types = told ? new Map<string, TensorType>() : staticTypes(graph);
  return {
    path,
    kind: 'model',
    inputs: freeInputs(graph).map((v) => endOf(v, types)),
    outputs: graph.outputs.map((v) => endOf(v, types)),
  };
};

const outlineOf = async (path: string, ports: Ports, job: AppJob): Promise<FileOutline> => {
  try {
    if (/\.onnx$/i.test(path)) return await outlineOfModel(path, ports, job);
    const dataset = await ports.dataset(path, job.signal);
    try {
      return outlineOfData(path, dataset);
    } finally {
      await dataset.close();
    }
  } catch (error) {
    if (error instanceof Fault && error.code !== 'job/stopped') return { path, kind: 'unreadable', reason: error.message };
    throw error;
  }
};

/** What files are by their headers: inputs and outputs of models, columns of data. A file that cannot be read says why. */
export const outline: UseCase<'outline'> = async ({ paths }, ports, job) => {
  const found: FileOutline[] = [];
  for (const [i, path] of paths.entries()) {
    job.progress(i / paths.length, path);
    found.push(await outlineOf(path, ports, job));
  }
  return found;
};
