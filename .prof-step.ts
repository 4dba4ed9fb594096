import { subjectOf, trainingOf, stepFeeds, feedsFor } from './tests/bench/engine/subject.ts';
import { sharesOf } from './tests/bench/engine/profile.ts';
import { gradientGraph } from './src/autodiff/gradient-graph.ts';
import { onnxruntime } from './src/runtime/onnxruntime.ts';
import { write } from './src/graph/write.ts';
const [name, kind, by, batch] = [process.argv[2], process.argv[3], process.argv[4] as 'node', Number(process.argv[5] ?? 32)];
const rt = onnxruntime();
const sub = await subjectOf(name);
let call: any;
if (kind === 'blocked') {
  const block = await rt.block();
  const g = gradientGraph(sub.prep.model, { ...sub.prep.probed, block } as never, { of: 'cross-entropy', wrt: ['parameters'] });
  call = { model: g.model, feeds: feedsFor(g.model, sub.prep, batch), wanted: g.model.graph.outputs.map((o) => o.name).filter((o) => o.startsWith('grad/')), steps: 1 };
} else call = await sub.task(kind as never, batch);
const { session } = await rt.open(write(call.model), { device: 'cpu', name: 'x', threads: 2 } as never);
let best = 1e9;
for (let i = 0; i < 30; i++) { const t = performance.now(); await session.run(call.feeds, call.wanted); best = Math.min(best, performance.now() - t); }
console.log(name, kind, 'nodes', call.model.graph.nodes.length, 'best ms', (best / call.steps).toFixed(2));
for (const r of await sharesOf(call, 2, { by, runs: 8, most: Number(process.argv[6] ?? 25) })) console.log((r.ms / call.steps).toFixed(3), r.share, r.nodes, r.operator.slice(0, 220));
process.exit(0);
