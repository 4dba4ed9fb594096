import { subjectOf } from './tests/bench/engine/subject.ts';
for (const name of process.argv[3].split(',')) {
  const sub = await subjectOf(name); const batch = Number(process.argv[2]);
  const [g, h]: any[] = [await sub.task('parameters' as never, batch), await sub.task('hvp' as never, batch)];
  let [a, b] = [1e9, 1e9];
  const until = performance.now() + 3000;
  await g.run(); await h.run();
  while (performance.now() < until) { let t = performance.now(); await g.run(); a = Math.min(a, performance.now() - t); t = performance.now(); await h.run(); b = Math.min(b, performance.now() - t); }
  console.log(name, batch, 'gradient', a.toFixed(2), 'hvp', b.toFixed(2), (b / a).toFixed(2));
}
process.exit(0);
