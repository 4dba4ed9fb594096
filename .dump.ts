import { subjectOf } from './tests/bench/engine/subject.ts';
const sub = await subjectOf('resnet8_cifar10');
const call: any = await sub.task('step' as never, 32);
const loop = call.model.graph.nodes.find((n: any) => n.op === 'Loop');
const body = loop.attributes.body.value;
for (const n of body.nodes) console.log(n.op, n.outputs.join(','), '<-', n.inputs.join(', '), n.op === 'Reshape' || 1 ? '' : '');
process.exit(0);
