import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { RunRequest } from '../base/request.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import type { AttackRange, AttackTool } from '../evidence/attack.ts';
import { endsOf, openModel } from '../evidence/model.ts';
import { attacks, type ModelAttacks } from '../evidence/providers/attack.ts';
import type { DeviceChoice } from '../runtime/session.ts';
import type { Ports } from './ports.ts';
import type { OpenSubject } from './subject.ts';

export interface OpenAttackTool {
  readonly tool: AttackTool;
  device(): DeviceChoice | undefined;
  release(): Promise<void>;
}

/** Zeros in the shape of some rows. */
const blank = (dtype: Tensor['dtype'], dims: readonly number[]): Tensor => ({
  dtype,
  dims: [2, ...dims],
  data: dtype === 'float64' ? new Float64Array(2 * sizeOf(dims)) : new Float32Array(2 * sizeOf(dims)),
});

/** Attacks on the diagnosed model, and on others. Nothing runs before a study asks. */
export const attackTool = ({ model, bound }: OpenSubject, request: RunRequest, ports: Ports, job: Job): OpenAttackTool => {
  const opened: ModelAttacks[] = [];
  const kept = (of: ModelAttacks): ModelAttacks => {
    opened.push(of);
    return of;
  };
  const run = { runtime: ports.runtime, device: request.device };
  return {
    tool: {
      async open(range: AttackRange) {
        if (!model) throw new Fault('evidence/no-model', { id: request.id, tool: 'attacks' });
        return kept(attacks(model, bound.inputDims, run, job)).open(range);
      },
      async other(path, range) {
        const found = await openModel({ path }, ports, job);
        const ends = endsOf(found, { path }, job);
        const { inputDims } = bound;
        const row = ends.input.dims;
        const fits =
          row === undefined || (row.length === inputDims.length && row.every((d, i) => typeof d !== 'number' || d === inputDims[i]));
        if (!fits) throw new Fault('evidence/attack-model', { path, row: row?.join(' × ') ?? '', due: inputDims.join(' × ') });
        const x = blank(ends.input.dtype, inputDims);
        const subject = { name: found.name, folder: found.folder, ends, prepared: () => found.prepared({ input: ends.input.name, x }) };
        return kept(attacks(subject, inputDims, run, job)).open({ ...range, probabilities: ends.hint === 'probabilities' });
      },
    },
    device: () => opened[0]?.device(),
    async release() {
      for (const one of opened) await one.release();
    },
  };
};
