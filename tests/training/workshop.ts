import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diagnose } from '../../src/app/diagnose.ts';
import type { AppJob, UseCase } from '../../src/app/ports.ts';
import { train } from '../../src/app/train.ts';
import { quietJob } from '../../src/base/job.ts';
import type { Tensor } from '../../src/base/tensor.ts';
import { writeNpz } from '../../src/data/npz-write.ts';
import { type Emit, emitter } from '../../src/graph/emit.ts';
import { write } from '../../src/graph/write.ts';
import { world } from '../../src/jobs/world.ts';
import type { Report } from '../../src/report/report.ts';
import type { Live, Steer, TrainRequest, TrainResult } from '../../src/report/tasks.ts';
import { modelOf } from '../../src/training/plan.ts';

const digits: string = fileURLToPath(new URL('../../media/sample/digits.npz', import.meta.url));
const ports = await world();

/** The digits at 0..1, training rows and test rows as the file says. */
export const digitsData = {
  train: { path: digits, split: 'train', preprocess: { scale: 0.0625 } },
  test: { path: digits, split: 'test', preprocess: { scale: 0.0625 } },
};

/** A folder for one test, with files of its own. */
export const workshop = () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-train-'));
  const at = (name: string): string => join(folder, name);
  return {
    at,
    arrays(name: string, arrays: Record<string, Tensor>): string {
      writeFileSync(at(name), writeNpz(arrays));
      return at(name);
    },
    text(name: string, text: string): string {
      writeFileSync(at(name), text);
      return at(name);
    },
    /** A model file of our own making: `build` records its nodes from input `x` and names the output. */
    model(name: string, row: readonly (number | string)[], out: readonly (number | string)[], build: (emit: Emit) => string): string {
      const emit = emitter({});
      const type = (dims: readonly (number | string)[]) => ({ kind: 'tensor', dtype: 'float32', dims }) as const;
      emit.typed('x', type(row));
      const output = build(emit);
      const graph = emit.graph(name, [{ name: 'x', type: type(row) }], [{ name: output, type: type(out) }]);
      writeFileSync(at(name), write(modelOf({ irVersion: 8, opsets: new Map([['', 18]]) }, graph)));
      return at(name);
    },
    async run(
      recipe: object,
      given: Partial<TrainRequest> & {
        signal?: AbortSignal;
        live?: (event: Live) => void;
        steer?: () => Steer;
        use?: UseCase<'train'>;
      } = {},
    ): Promise<TrainResult & { readonly notes: readonly string[] }> {
      const { signal, live, steer, use, ...ask } = given;
      writeFileSync(at('r.train.json'), JSON.stringify(recipe));
      const job: AppJob & { notes: string[] } = {
        ...quietJob(),
        live: live ?? (() => {}),
        ...(signal ? { signal } : {}),
        ...(steer ? { steer } : {}),
      };
      const request = { recipe: at('r.train.json'), out: at('out.onnx'), device: 'cpu', resume: false, force: false, ...ask } as const;
      const result = await (use ?? train)(request, ports, job);
      return { ...result, notes: job.notes };
    },
  };
};

/** A diagnostic on the test rows of the digits. */
export const diagnosed = (id: string, path: string, options: Record<string, unknown> = {}): Promise<Report> =>
  diagnose({ id, model: { path }, data: digitsData.test, options, device: 'cpu', seed: 0 }, ports, { ...quietJob(), live: () => {} });

type Shop = ReturnType<typeof workshop>;
type Done = Awaited<ReturnType<Shop['run']>> & { readonly shop: Shop };

/**
 * A recipe run whole, and in another folder stopped each time one of `stops` says so and resumed: both leave the same model, bit for bit,
 * and the same report but for its first card, which tells the time.
 */
export const wholeAndInPieces = async (
  recipe: object,
  ...stops: readonly ((event: Live) => boolean)[]
): Promise<{ readonly whole: Done; readonly pieces: Done; readonly cuts: readonly TrainResult[] }> => {
  const [shop, cut] = [workshop(), workshop()];
  const whole = { ...(await shop.run(recipe)), shop };
  const cuts: TrainResult[] = [];
  for (const [i, stop] of stops.entries()) {
    const cancel = new AbortController();
    const live = (event: Live): void => {
      if (stop(event)) cancel.abort();
    };
    const result = await cut.run(recipe, { signal: cancel.signal, resume: i > 0, live });
    assert.equal(result.report.outcome, 'stopped');
    assert.equal(result.report.reason?.code, 'job/stopped');
    assert.ok(!existsSync(cut.at('out.onnx')), 'a stopped run must not pass for a finished one');
    cuts.push(result);
  }
  const pieces = { ...(await cut.run(recipe, { resume: true })), shop: cut };
  assert.deepEqual(readFileSync(pieces.out), readFileSync(whole.out));
  assert.deepEqual(pieces.report.cards.slice(1), whole.report.cards.slice(1));
  return { whole, pieces, cuts };
};

/** Stops of a run: once so many steps are made, with the first of them, or when an epoch ends. */
export const atStep =
  (step: number) =>
  (event: Live): boolean =>
    event.kind === 'steps' && (event.step.at(-1) ?? 0) >= step;
export const atEpoch =
  (epoch: number) =>
  (event: Live): boolean =>
    event.kind === 'epoch' && event.epoch === epoch;
