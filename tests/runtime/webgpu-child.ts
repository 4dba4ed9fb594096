/** Runs in a process with a Vulkan driver: prints what WebGPU gave beside what the CPU gave, as one line of JSON. */
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { sizeOf, type Tensor } from '../../src/base/tensor.ts';
import { write } from '../../src/graph/write.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';
import { recorded, value } from './models.ts';

export interface Answer {
  readonly devices: readonly { readonly provider: string; readonly ok: boolean; readonly reason: string }[];
  /** Per model: largest difference from the CPU, and the largest value of the CPU. */
  readonly models: Readonly<
    Record<string, { readonly gap: number; readonly size: number; readonly reason: string; readonly actual: string }>
  >;
  readonly auto: { readonly actual: string; readonly reason: string };
  readonly unsupported: { readonly actual: string; readonly provider: string; readonly reason: string; readonly y: number };
  readonly left: readonly string[];
}

const runtime = onnxruntime();
const wave = (dims: readonly number[]): Tensor => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from({ length: sizeOf(dims) }, (_, i) => 0.5 + 0.5 * Math.sin(i)),
});
const fixture = (name: string): Uint8Array => readFileSync(new URL(`../fixtures/models/${name}.onnx`, import.meta.url));
const profiles = (): string[] => readdirSync(tmpdir()).filter((f) => f.startsWith('assay-profile-'));
const before = new Set(profiles());

const compare = async (bytes: Uint8Array, name: string, feeds: Readonly<Record<string, Tensor>>): Promise<Answer['models'][string]> => {
  const cpu = (await runtime.open(bytes, { device: 'cpu', name })).session;
  const { session, choice } = await runtime.open(bytes, { device: 'webgpu', name, probe: feeds });
  const [a, b] = [await session.run(feeds), await cpu.run(feeds)];
  let gap = 0;
  let size = 0;
  for (const [output, { data }] of Object.entries(b)) {
    for (let i = 0; i < data.length; i++) {
      const [p, q] = [Number(a[output].data[i]), Number(data[i])];
      gap = Math.max(gap, Number.isNaN(p) ? Number.POSITIVE_INFINITY : Math.abs(p - q));
      size = Math.max(size, Math.abs(q));
    }
  }
  await session.release();
  return { gap, size, reason: choice.reason, actual: choice.actual };
};

const digits = { x: wave([2, 1, 8, 8]) };
const models = { mlp_digits: await compare(fixture('mlp_digits'), 'mlp_digits', digits) };
const auto = (await runtime.open(fixture('mlp_digits'), { device: 'auto', name: 'mlp_digits', probe: digits })).choice;

const double = recorded([value('x', 'float64', ['N'])], [value('y', 'float64', ['N'])], (emit) => void emit.rename(emit.Exp('x'), 'y'));
const x: Tensor = { dtype: 'float64', dims: [1], data: Float64Array.of(1) };
const alone = await runtime.open(write(double), { device: 'webgpu', name: 'double', probe: { x } });
const answer: Answer = {
  devices: await runtime.devices(),
  models,
  auto: { actual: auto.actual, reason: auto.reason },
  unsupported: {
    actual: alone.choice.actual,
    provider: alone.session.provider,
    reason: alone.choice.reason,
    y: Number((await alone.session.run({ x })).y.data[0]),
  },
  left: profiles().filter((f) => !before.has(f)),
};
process.stdout.write(`${JSON.stringify(answer)}\n`);
