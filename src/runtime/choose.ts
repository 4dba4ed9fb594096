import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { Tensor } from '../base/tensor.ts';
import { parse } from '../graph/parse.ts';
import { forWebGpu } from '../graph/passes/for-webgpu.ts';
import { write } from '../graph/write.ts';
import { agreement } from './agreement.ts';
import { type Possible, possible } from './devices.ts';
import { zeroFeeds } from './feeds.ts';
import { failedNode } from './message.ts';
import { fileOf, openNative } from './onnxruntime/native.ts';
import { type Placement, placementSentence } from './placement.ts';
import type { DeviceChoice, Provider, Runtime, Session, SessionOptions } from './session.ts';

type Feeds = Readonly<Record<string, Tensor>>;
type Model = Uint8Array | string;
type Tried = DeviceChoice['tried'][number];

/** At most 5 runs and about a second after one to warm up; the median. */
const timed = async (session: Session, feeds: Feeds): Promise<number> => {
  await session.run(feeds);
  const times: number[] = [];
  for (let spent = 0; times.length < 5 && spent < 1000; ) {
    const start = performance.now();
    await session.run(feeds);
    times.push(performance.now() - start);
    spent += times[times.length - 1];
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
};

const reasonOf = (error: unknown): string => {
  for (const code of ['runtime/session', 'runtime/run', 'runtime/memory'] as const) if (Fault.is(error, code)) return error.detail.reason;
  return error instanceof Error ? error.message : String(error);
};

const onDevice = (provider: Provider, { nodes }: Placement): boolean => (nodes[provider] ?? 0) > 0;

/** At most so many nodes are taken from a device one after another. */
const patience = 16;

/** The graph as a provider runs it best. External data stay where they are. */
const suited = async (model: Model, options: SessionOptions, provider: Provider): Promise<Model> => {
  if (provider !== 'webgpu') return model;
  const bytes = typeof model === 'string' ? await fileOf(model) : model;
  const read = parse(bytes, options.name, options.folder);
  const written = forWebGpu(read);
  return written === read ? model : write(written);
};

/**
 * Opens a graph on a device and runs it once. A node that fails there is left to the CPU and the graph opened anew:
 * WebGPU in 1.30 claims MaxPool with indices and then refuses to run it, for one.
 */
const proven = async (file: Model, options: SessionOptions, provider: Provider, probe?: Feeds) => {
  const model = await suited(file, options, provider);
  const onCpu: string[] = [];
  for (;;) {
    const opened = await openNative(model, provider, options, { profiled: true, onCpu });
    try {
      return { session: opened.session, ...(await opened.look(probe ?? zeroFeeds(opened.session.inputs))) };
    } catch (error) {
      await opened.session.release();
      const node = failedNode(error);
      if (provider !== 'webgpu' || node === undefined || onCpu.includes(node) || onCpu.length === patience) throw error;
      onCpu.push(node);
    }
  }
};

/** A device other than the CPU, as asked by name: used if it opens, whatever its speed; what runs where is said. */
const requested = async (model: Model, options: SessionOptions, provider: Provider, job?: Pick<Job, 'note'>) => {
  const all = await possible();
  const refuse = (reason: string, cause?: unknown): Fault => {
    const available = all.filter((p) => p.ok && p.provider !== provider).map((p) => p.provider);
    return new Fault('runtime/device', { device: provider, reason, available }, { cause });
  };
  const here = all.find((p) => p.provider === provider);
  if (!here?.ok) throw refuse(here?.reason ?? 'it is not known');
  const { probe } = options;

  // A model that the CPU cannot open, or feeds that it cannot run, are at fault themselves.
  const { session: cpu } = await openNative(model, 'cpu', options);
  try {
    const expected = probe && (await cpu.run(probe));
    const found = await proven(model, options, provider, probe).catch((error: unknown) => {
      if (probe || !Fault.is(error, 'runtime/run')) throw refuse(reasonOf(error), error);
      return undefined;
    });
    if (!found) {
      // Zeros may be no valid input of this graph; its real ones may be.
      const { session } = await openNative(await suited(model, options, provider), provider, options);
      const reason = 'asked for; which nodes run there is not known, as no probe batch was given';
      return { session, choice: { requested: provider, actual: provider, reason, tried: [{ provider, ok: true, reason: 'opened' }] } };
    }
    const where = placementSentence(provider, found.placement) + (here.hardware ? '' : ` (${here.reason})`);
    const there = onDevice(provider, found.placement);
    const actual = there ? provider : 'cpu';
    const compared = expected && agreement(found.outputs, expected);
    const parting = compared && !compared.agrees ? `; ${compared.reason}` : '';
    const reason = (there ? `asked for; ${where}` : `${provider} opened, but has no kernel for any node of this graph: ${where}`) + parting;
    if (!there || parting) job?.note(`Device: ${reason}.`);
    const tried: Tried = {
      provider,
      ok: there && !parting,
      reason: compared?.reason || where,
      ...(compared ? { difference: compared.difference } : {}),
    };
    return { session: { ...found.session, provider: actual }, choice: { requested: provider, actual, reason, tried: [tried] } };
  } finally {
    await cpu.release();
  }
};

/** How much faster than the CPU a device must be: below that, the CPU's repeatable results are worth more. */
const worth = 0.9;

const attempt = async (model: Model, options: SessionOptions, provider: Provider, probe: Feeds, cpuOutputs: Feeds) => {
  const { session, outputs, placement } = await proven(model, options, provider, probe);
  const leave = async (tried: Omit<Tried, 'provider' | 'ok'>) => {
    await session.release();
    return { tried: { provider, ok: false, ...tried } };
  };
  const where = placementSentence(provider, placement);
  if (!onDevice(provider, placement)) return leave({ reason: where });
  const { agrees, difference, reason } = agreement(outputs, cpuOutputs);
  if (!agrees) return leave({ reason, difference });
  try {
    const ms = await timed(session, probe);
    return { session, where, tried: { provider, ok: true, reason: where, ms, difference } };
  } catch (error) {
    return leave({ reason: reasonOf(error) });
  }
};

const why = (rest: readonly Possible[]): string => {
  const said = rest.filter((p) => p.provider !== 'cpu' && !p.hardware && !p.reason.startsWith('it is not part'));
  return said.length ? `no GPU is usable here (${said.map((p) => `${p.provider}: ${p.reason}`).join('; ')})` : 'no GPU is usable here';
};

/** The fastest device that agrees with the CPU on the probe batch; the CPU at once where there is nothing to compare. */
const automatic = async (model: Model, options: SessionOptions, job?: Pick<Job, 'note'>) => {
  const all = await possible();
  const candidates = all.filter((p) => p.hardware && p.provider !== 'cpu');
  const { session: cpu } = await openNative(model, 'cpu', options);
  const stay = (reason: string, tried: readonly Tried[] = []) => ({
    session: cpu,
    choice: { requested: 'auto', actual: 'cpu', reason, tried } satisfies DeviceChoice,
  });
  if (candidates.length === 0) return stay(why(all));
  const { probe } = options;
  if (!probe) return stay('no probe batch was given to compare devices with');

  const cpuOutputs = await cpu.run(probe);
  const cpuMs = await timed(cpu, probe);
  const tried: Tried[] = [{ provider: 'cpu', ok: true, reason: 'the reference', ms: cpuMs, difference: 0 }];
  let best: { session: Session; ms: number; where: string } = { session: cpu, ms: cpuMs * worth, where: '' };
  for (const { provider } of candidates) {
    const result = await attempt(model, options, provider, probe, cpuOutputs).catch((error: unknown) => ({
      tried: { provider, ok: false, reason: reasonOf(error) },
    }));
    tried.push(result.tried);
    if (!('session' in result)) continue;
    if (result.tried.ms < best.ms) {
      if (best.session !== cpu) await best.session.release();
      best = { session: result.session, ms: result.tried.ms, where: result.where };
    } else await result.session.release();
  }
  if (best.session === cpu) {
    const list = tried.slice(1).map((t) => `${t.provider}: ${t.ok ? `${t.ms?.toFixed(1)} ms` : t.reason}`);
    return stay(`fastest on the probe batch at ${cpuMs.toFixed(1)} ms (${list.join('; ')})`, tried);
  }
  await cpu.release();
  const { provider } = best.session;
  const reason = `fastest that agrees with the CPU: ${best.ms.toFixed(1)} ms against ${cpuMs.toFixed(1)} ms on the probe batch; ${best.where}`;
  for (const t of tried) if (!t.ok) job?.note(`Device ${t.provider} was not used: ${t.reason}.`);
  return { session: best.session, choice: { requested: 'auto', actual: provider, reason, tried } satisfies DeviceChoice };
};

/** Opens a session on the device asked for. Throws `runtime/device`, `runtime/session`, `runtime/memory`. */
export const choose: Runtime['open'] = async (model, options, job) => {
  if (options.device === 'auto') return automatic(model, options, job);
  if (options.device !== 'cpu') return requested(model, options, options.device, job);
  const { session } = await openNative(model, 'cpu', options);
  return { session, choice: { requested: 'cpu', actual: 'cpu', reason: 'asked for', tried: [] } };
};
