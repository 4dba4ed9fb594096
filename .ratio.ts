import { openPeer } from './tests/bench/engine/peer.ts';
import { subjectOf, feedsFor, open } from './tests/bench/engine/subject.ts';
import { interleaved } from './tests/bench/engine/interleave.ts';
import { gradientGraph } from './src/autodiff/gradient-graph.ts';
import { onnxruntime } from './src/runtime/onnxruntime.ts';
const peer = (await openPeer(2))!;
const batch = Number(process.argv[4] ?? 32);
for (const name of process.argv[2].split(',')) {
  const sub = await subjectOf(name);
  await peer.open(name, batch);
  for (const kind of process.argv[3].split(',')) {
    let task: any;
    if (kind.startsWith('blocked-')) {
      const k = kind.slice(8);
      const block = await onnxruntime().block();
      const g = gradientGraph(sub.prep.model, { ...sub.prep.probed, block } as never, k === 'hvp' ? { of: 'cross-entropy', wrt: ['parameters'], product: 'hvp' } : { of: 'cross-entropy', wrt: [k === 'input' ? 'inputs' : 'parameters'] });
      const feeds = feedsFor(g.model, sub.prep, batch); const wanted = g.model.graph.outputs.map((o) => o.name).filter((o) => o.startsWith(k === 'hvp' ? 'hvp/' : 'grad/'));
      const s = await open(g.model, 'x'); task = { steps: 1, run: () => s.run(feeds, wanted) };
    } else task = await sub.task(kind as never, batch);
    const p = kind.replace('blocked-', '');
    let best = { ms: 1e9, peerMs: 1e9 };
    for (let i = 0; i < 3; i++) { const r: any = await interleaved(task, { of: peer, kind: p }, 500); best = { ms: Math.min(best.ms, r.ms), peerMs: Math.min(best.peerMs, r.peerMs) }; }
    console.log(name, kind, batch, best.ms.toFixed(2), best.peerMs.toFixed(2), (best.ms / best.peerMs).toFixed(2));
  }
}
process.exit(0);
