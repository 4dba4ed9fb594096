import { subjectOf } from './tests/bench/engine/subject.ts';
import { onnxruntime } from './src/runtime/onnxruntime.ts';
import { write } from './src/graph/write.ts';
const rt = onnxruntime();
const sub = await subjectOf(process.argv[2]);
const call: any = await sub.task(process.argv[3] as never, Number(process.argv[4] ?? 32));
const { session } = await rt.open(write(call.model), { device: 'cpu', name: 'x', threads: 2 } as never);
const t: number[] = [];
for (let i = 0; i < Number(process.argv[5] ?? 40); i++) { const a = performance.now(); await session.run(call.feeds, call.wanted); t.push((performance.now() - a) / call.steps); }
t.sort((a, b) => a - b);
console.log(process.argv.slice(2).join(' '), 'least', t[0].toFixed(2), 'tenth', t[Math.floor(t.length / 10)].toFixed(2), 'median', t[t.length >> 1].toFixed(2));
process.exit(0);
