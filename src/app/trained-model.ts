import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import { fromFloats } from '../data/values.ts';
import type { TrainedModel } from '../evidence/fresh.ts';
import { endsOf, openModel } from '../evidence/model.ts';
import { openGradient } from '../evidence/providers/gradient.ts';
import { scorer } from '../evidence/scorer.ts';
import { write } from '../graph/write.ts';
import { attackedRows } from './attacked-rows.ts';
import type { Ports } from './ports.ts';

/** A model of rows of this shape, trained elsewhere. Throws `diagnostic/block-model` where it takes others. */
export const openTrained = async (
  path: string,
  dims: readonly number[],
  device: RunRequest['device'],
  ports: Ports,
  job: Job,
  opened: { release(): Promise<void> }[],
): Promise<TrainedModel> => {
  const found = await openModel({ path }, ports, job);
  const { name } = found;
  const ends = endsOf(found, { path }, job);
  const own = ends.input.dims;
  const { dtype } = ends.input;
  const fits = own === undefined || (own.length === dims.length && own.every((d, i) => typeof d !== 'number' || d === dims[i]));
  const flat = own?.length === 1 && (typeof own[0] !== 'number' || own[0] === sizeOf(dims));
  if (!(fits || flat) || !/float/.test(dtype))
    throw new Fault('diagnostic/block-model', { path, shape: `[N${(own ?? []).map((d) => `,${d ?? '?'}`).join('')}]`, dims });
  const fed = fits ? dims : [sizeOf(dims)];
  const tensor = (x: Float32Array): Tensor => ({ dtype, dims: [x.length / sizeOf(dims), ...fed], data: fromFloats(x, dtype) });
  const prepared = await found.prepared({ input: ends.input.name, x: tensor(new Float32Array(2 * sizeOf(dims))) });
  const { session } = await ports.runtime.open(write(prepared.model), { device, name, folder: found.folder }, job);
  opened.push(session);
  const { fixedBatch: _, ...free } = ends;
  const score = scorer(session, prepared.freedFrom === undefined ? ends : free, job);
  const gradient = await openGradient(
    { name, folder: found.folder, ends, prepared: async () => prepared },
    fed,
    { runtime: ports.runtime, device },
    job,
  );
  opened.push(gradient);
  return {
    name,
    scores: (x) => score(tensor(x)),
    gradient: async () => gradient.tool,
    attacked: (rows, attack) =>
      attackedRows({ ...prepared, name, input: ends.input.name, output: ends.output, dtype, dims: fed }, rows, attack, ports, job),
  };
};
