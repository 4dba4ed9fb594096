import type { Node } from '../../../src/graph/types.ts';
import { modelOf } from '../../../src/training/plan.ts';
import { type Feeds, open, threads } from '../engine/subject.ts';
import { round } from '../measure.ts';
import { callOf } from './slices.ts';
import { subjects, trainerOf } from './subjects.ts';

const rounds = 6;
const steps = 20;

/** The loss and gradient of the step in a `Loop` or `Scan`, as a graph of its own: what the step reads from around itself are inputs. */
const bare = ({ model, feeds }: ReturnType<typeof callOf>): ReturnType<typeof callOf> => {
  const loop = model.graph.nodes.find((n) => n.op === 'Loop' || n.op === 'Scan');
  const body = loop?.attributes.body;
  if (!loop || body?.type !== 'graph') throw new Error('the steps are in no loop');
  const scans = loop.op === 'Scan';
  const { inputs, outputs, initializers, nodes } = body.value;
  const entries = loop.attributes.num_scan_inputs?.type === 'int' ? loop.attributes.num_scan_inputs.value : 0;
  const carried = scans ? loop.inputs.slice(0, -entries) : loop.inputs.slice(2);
  const around = model.graph.inputs.filter((i) => !carried.includes(i.name));
  const states = scans ? inputs.slice(0, carried.length) : inputs.slice(2);
  // The scans follow the state: first loss and norm of the gradient.
  const from = (scans ? 0 : 1) + carried.length;
  const wanted = outputs.slice(from, from + 2);
  const all = new Map([...model.graph.initializers, ...initializers]);
  const step = { name: 'iteration', type: { kind: 'tensor', dtype: 'int64', dims: [] } } as const;
  const first = inputs.slice(states.length).map(
    ({ name }, i): Node => ({
      ...{ op: 'Gather', domain: '', name, attributes: {} },
      inputs: [loop.inputs[carried.length + i], step.name],
      outputs: [name],
    }),
  );
  const graph = scans
    ? { inputs: [step, ...states, ...around], nodes: [...model.graph.nodes.filter((n) => n !== loop), ...first, ...nodes] }
    : { inputs: [...inputs, ...around], nodes };
  const counting: Feeds = { [scans ? step.name : inputs[0].name]: { dtype: 'int64', dims: [], data: BigInt64Array.of(0n) } };
  const going: Feeds = scans ? {} : { [inputs[1].name]: { dtype: 'bool', dims: [], data: Uint8Array.of(1) } };
  return {
    model: modelOf(model, { ...body.value, ...graph, outputs: wanted, initializers: all }),
    feeds: {
      ...Object.fromEntries(around.map(({ name }) => [name, feeds[name]])),
      ...Object.fromEntries(states.map(({ name }, i) => [name, feeds[carried[i]]])),
      ...counting,
      ...going,
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
