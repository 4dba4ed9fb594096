import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import type { Tensor } from '../base/tensor.ts';
import { agreement } from './agreement.ts';
import { type Possible, possible } from './devices.ts';
import { zeroFeeds } from './feeds.ts';
import { openNative } from './onnxruntime/native.ts';
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

/** A device other than the CPU, as asked by name: used if it opens, whatever its speed; what runs where is said. */
const requested = async (model: Model, options: SessionOptions, provider: Provider, job?: Pick<Job, 'note'>) => {
  const all = await possible();
  const refuse = (reason: string, cause?: unknown): Fault => {
    const available = all.filter((p) => p.ok && p.provider !== provider).map((p) => p.provider);
    return new Fault('runtime/device', { device: provider, reason, available }, { cause });
  };
  const here = all.find((p) => p.provider === provider);
  if (!here?.ok) throw refuse(here?.reason ?? 'it is not known');

  // A model that the CPU cannot open either is at fault itself.
  const cpu = await openNative(model, 'cpu', options);
  try {
    const opened = await openNative(model, provider, options, true).catch((error: unknown) => {
      throw refuse(reasonOf(error), error);
    });
    let reason = 'asked for; which nodes run there is not known, as no probe batch was given';
    let tried: Tried = { provider, ok: true, reason: 'opened' };
    let actual: Provider = provider;
    const probe = options.probe ?? zeroFeeds(opened.session.inputs);
    try {
      const { outputs, placement } = await opened.look(probe);
      const where = placementSentence(provider, placement) + (here.hardware ? '' : ` (${here.reason})`);
      if (!onDevice(provider, placement)) {
        actual = 'cpu';
        reason = `${provider} opened, but has no kernel for any node of this graph: ${where}`;
        job?.note(`Device: ${reason}.`);
      } else reason = `asked for; ${where}`;
      if (options.probe) {
        const { agrees, difference, reason: parting } = agreement(outputs, await cpu.session.run(probe));
        tried = { provider, ok: agrees && actual === provider, reason: parting || where, difference };
        if (!agrees) {
          reason += `; ${parting}`;
          job?.note(`Device ${provider}: ${parting}.`);
        }
      } else tried = { provider, ok: actual === provider, reason: where };
    } catch (error) {
      if (options.probe) {
        await opened.session.release();
        throw refuse(reasonOf(error), error);
      }
    }
    const choice: DeviceChoice = { requested: options.device, actual, reason, tried: [tried] };
    return { session: { ...opened.session, provider: actual }, choice };
  } finally {
    await cpu.session.release();
  }
};

/** How much faster than the CPU a device must be: below that, the CPU's repeatable results are worth more. */
const worth = 0.9;

const attempt = async (model: Model, options: SessionOptions, provider: Provider, probe: Feeds, cpuOutputs: Feeds) => {
  const opened = await openNative(model, provider, options, true);
  const leave = async (tried: Omit<Tried, 'provider' | 'ok'>) => {
    await opened.session.release();
    return { tried: { provider, ok: false, ...tried } };
  };
  try {
    const { outputs, placement } = await opened.look(probe);
    const where = placementSentence(provider, placement);
    if (!onDevice(provider, placement)) return leave({ reason: where });
    const { agrees, difference, reason } = agreement(outputs, cpuOutputs);
    if (!agrees) return leave({ reason, difference });
    const ms = await timed(opened.session, probe);
    return { session: opened.session, where, tried: { provider, ok: true, reason: where, ms, difference } };
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
