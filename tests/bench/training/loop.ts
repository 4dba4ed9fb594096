import { modelOf } from '../../../src/training/plan.ts';
import { open, threads } from '../engine/subject.ts';
import { round } from '../measure.ts';
import { callOf } from './slices.ts';
import { subjects, trainerOf } from './subjects.ts';

const rounds = 6;
const steps = 20;

/** The loss and gradient of the step in a `Loop`, as a graph of its own: what the step reads from around itself are inputs. */
const bare = ({ model, feeds }: ReturnType<typeof callOf>): ReturnType<typeof callOf> => {
  const loop = model.graph.nodes.find((n) => n.op === 'Loop');
  const body = loop?.attributes.body;
  if (body?.type !== 'graph') throw new Error('the steps are no Loop');
  const { inputs, outputs, initializers } = body.value;
  const carried = (loop?.inputs ?? []).slice(2);
  const around = model.graph.inputs.filter((i) => !carried.includes(i.name));
  // The scans follow the state: first loss and norm of the gradient.
  const wanted = outputs.slice(1 + carried.length, 3 + carried.length);
  const all = new Map([...model.graph.initializers, ...initializers]);
  return {
    model: modelOf(model, { ...body.value, inputs: [...inputs, ...around], outputs: wanted, initializers: all }),
    feeds: {
      ...Object.fromEntries(around.map(({ name }) => [name, feeds[name]])),
      ...Object.fromEntries(inputs.slice(2).map(({ name }, i) => [name, feeds[carried[i]]])),
      [inputs[0].name]: { dtype: 'int64', dims: [], data: BigInt64Array.of(0n) },
      [inputs[1].name]: { dtype: 'bool', dims: [], data: Uint8Array.of(1) },
    },
    wanted: wanted.map((w) => w.name),
  };
};

/** Least milliseconds of a step of each, taken in turns. */
const least = async (calls: readonly { readonly run: () => Promise<unknown>; readonly each: number }[]): Promise<number[]> => {
  const times = calls.map((): number[] => []);
  for (let i = -2; i < rounds; i++)
    for (const [k, { run, each }] of calls.entries()) {
      const from = performance.now();
      for (let n = 0; n < steps / each; n++) await run();
      if (i >= 0) times[k].push((performance.now() - from) / steps);
    }
  return times.map((list) => Math.min(...list));
};

const figuresOf = async (subject: Parameters<typeof trainerOf>[0]): Promise<Readonly<Record<string, number>>> => {
  const trainer = await trainerOf(subject);
  const call = callOf(trainer, steps);
  const gradient = bare(call);
  const count = trainer.setup.threads ?? threads;
  const sessions = [await open(call.model, 'steps', count), await open(gradient.model, 'gradient', count)];
  try {
    const [step, alone] = await least([
      { run: () => sessions[0].run(call.feeds, call.wanted), each: steps },
      { run: () => sessions[1].run(gradient.feeds, gradient.wanted), each: 1 },
    ]);
    const { size } = trainer.setup.run.compiled.layout;
    return { batch: subject.batch, parameters: size, stepMs: round(step), gradientMs: round(alone), ratio: round(step / alone) };
  } finally {
    for (const session of sessions) await session.release();
    await trainer.close();
  }
};

/** What a whole step in a `Loop` costs beside the loss and gradient alone. Due: at most 1.1 above a million parameters, 0.1 ms for softmax. */
export const loopFigures = async (): Promise<Readonly<Record<string, unknown>>> => {
  const image = { ...subjects.cnn, batch: 64 };
  return {
    softmax: await figuresOf(subjects.softmax),
    mlp: await figuresOf({ ...image, arch: { kind: 'mlp', hidden: '1024,256' } }),
    cnn: await figuresOf({ ...image, arch: { ...subjects.cnn.arch, channels: '16,32', hidden: '700' } }),
  };
};
