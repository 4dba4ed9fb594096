import { write } from '../../../src/graph/write.ts';
import { openNative } from '../../../src/runtime/onnxruntime/native.ts';
import { resetPeak, resident } from './memory.ts';
import { subjectOf, threads } from './subject.ts';

const [name, batch] = process.argv.slice(2);
const subject = await subjectOf(name);
const call = await subject.task('parameters', Number(batch));
await subject.close();
if (!call) throw new Error(`${name} has no gradient of its parameters`);
const bytes = write(call.model);
globalThis.gc?.();
resetPeak();
const before = resident().now;
const { session } = await openNative(bytes, 'cpu', { name, threads });
for (let i = 0; i < 10; i++) await session.run(call.feeds, call.wanted);
process.stdout.write(String(resident().peak - before));
await session.release();
