import { subjectOf } from './tests/bench/engine/subject.ts';
import { sharesOf } from './tests/bench/engine/profile.ts';
import { inputGradient } from './src/autodiff/path-gradient.ts';
import { onnxruntime } from './src/runtime/onnxruntime.ts';
import { float32, int64 } from './src/base/tensor.ts';
import { write } from './src/graph/write.ts';
const name = process.argv[2] ?? 'resnet8_cifar10';
const by = (process.argv[3] ?? 'node') as 'node';
const { prep } = await subjectOf(name);
const rt = onnxruntime();
const block = await rt.block();
const { model, probed } = prep;
const inp = model.graph.inputs[0];
const out = model.graph.outputs[0];
const pg = inputGradient(model, { ...probed, block } as never, { input: inp.name, output: out.name, hint: 'linear' } as never);
const dims = pg.rowDims.map(Number);
const n = dims.reduce((a, b) => a * b, 1);
const S = Number(process.env.S ?? 50), B = Number(process.argv[4] ?? 1);
const feeds: any = { [pg.inputs.points]: float32([B * S, ...dims], Float32Array.from({ length: B * S * n }, () => Math.random())), [pg.inputs.target]: int64([B], Array.from({length:B},()=>1)), [pg.inputs.weights]: float32([S], new Float32Array(S).fill(1 / S)) };
if (process.argv[5]) { (await import('node:fs')).writeFileSync(process.argv[5], write(pg.model)); }
const wanted = [pg.outputs.gradient, pg.outputs.values];
const { session } = await rt.open(write(pg.model), { device: 'cpu', name: 'x', threads: 2 } as never);
let best = 1e9;
for (let i = 0; i < 20; i++) { const t = performance.now(); await session.run(feeds, wanted); best = Math.min(best, performance.now() - t); }
console.log('nodes', pg.model.graph.nodes.length, 'best ms', best.toFixed(2));
for (const r of await sharesOf({ model: pg.model, feeds, wanted, steps: 1, run: async () => 0 } as never, 2, { by, runs: 8, most: Number(process.env.M ?? 25) })) console.log(r.ms, r.share, r.nodes, r.operator.slice(0, 220));
