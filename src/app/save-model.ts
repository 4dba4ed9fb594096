import { externalFiles } from '../graph/external.ts';
import type { Model } from '../graph/types.ts';
import { fitsOneFile, write } from '../graph/write.ts';
import { writeExternal } from '../graph/write-external.ts';
import type { AppJob, Ports } from './ports.ts';

/** Bytes of weights in memory at a time. */
const chunk = 2 ** 24;

type Part = ReturnType<typeof writeExternal>['data'][number];

/** The bytes of a data file, those of other files read piece by piece. */
async function* bytesOf(
  parts: readonly Part[],
  folder: string,
  ports: Ports,
  { signal }: Pick<AppJob, 'signal'>,
): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Uint8Array) {
      yield part;
      continue;
    }
    const source = await ports.source(ports.resolve(`${folder}/model`, part.location));
    const end = part.offset + part.length;
    for (let at = part.offset; at < end; at += chunk) yield await source.read(at, Math.min(at + chunk, end), signal);
  }
}

const openOnce = async (model: Uint8Array | string, name: string, folder: string | undefined, ports: Ports): Promise<void> => {
  const { session } = await ports.runtime.open(model, { device: 'cpu', name, brief: true, ...(folder === undefined ? {} : { folder }) });
  await session.release();
};

const nameOf = (out: string): string => out.split(/[\\/]/).at(-1) ?? out;
const apart = async (model: Model, out: string, ports: Ports, job: Pick<AppJob, 'signal'>): Promise<readonly string[]> => {
  const location = `${nameOf(out)}.data`;
  const { model: bytes, data } = writeExternal(model, location);
  await ports.write(ports.resolve(out, location), bytesOf(data, model.folder ?? '.', ports, job));
  await ports.write(out, bytes);
  return [`Its weights are in ${location}, which must lie beside it.`];
};

/** Writes a model whose weights are in memory; those that one file cannot hold go to OUT.data. Gives sentences for the report. */
export const writeModel = async (model: Model, out: string, ports: Ports, job: Pick<AppJob, 'signal'>): Promise<readonly string[]> => {
  if (!fitsOneFile(model)) return apart(model, out, ports, job);
  await ports.write(out, write(model));
  return [];
};

/**
 * Writes a model after ONNX Runtime has opened it. Weights beside the file that it was made from are shared where the new one
 * lies in the same folder; else, or where one file cannot hold all, they go to OUT.data. Gives sentences for the report.
 */
export const saveModel = async (model: Model, out: string, ports: Ports, job: Pick<AppJob, 'signal'>): Promise<readonly string[]> => {
  const name = nameOf(out);
  const beside = externalFiles(model.graph);
  const { folder } = model;
  const home = folder === undefined || ports.resolve(out, '.') === ports.resolve(`${folder}/model`, '.');
  if (fitsOneFile(model)) {
    const bytes = write(model);
    await openOnce(bytes, name, folder, ports);
    if (beside.length === 0 || home) {
      await ports.write(out, bytes);
      return beside.length === 0 ? [] : [`Its weights stay in ${beside.join(', ')}, which must lie beside it.`];
    }
  }
  const notes = await apart(model, out, ports, job);
  if (!fitsOneFile(model)) await openOnce(out, name, undefined, ports);
  return notes;
};
