import { load } from '../../../src/runtime/onnxruntime/native.ts';
import { resetPeak, resident } from './memory.ts';
import { subjectOf } from './subject.ts';

const [name, batch] = process.argv.slice(2);
await load();
const subject = await subjectOf(name);
resetPeak();
const before = resident().now;
const task = await subject.task('parameters', Number(batch));
for (let i = 0; i < 10; i++) await task?.run();
process.stdout.write(String(resident().peak - before));
await subject.close();
