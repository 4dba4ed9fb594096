import { word } from '../arguments.ts';
import { type CliCommand, exits } from '../define.ts';

const shape = (dims: readonly (number | string)[]): string => `[${dims.join(', ')}]`;

export const info: CliCommand = {
  name: 'info',
  usage: 'assay info MODEL.onnx [--json]',
  words: 1,
  summary: 'Inputs, outputs, operators, parameters, MACs, and which nodes have no gradient.',
  flags: () => ({ json: { help: 'Prints JSON.' } }),
  async run(typed, { submit, print }) {
    const facts = await submit('Reading model', 'info', { model: { path: word(typed, 0, 'the model file', info.usage) } });
    if (typed.flags.json) {
      print(JSON.stringify(facts, undefined, 2));
      return exits.ok;
    }
    const count = new Intl.NumberFormat('en-US');
    print(
      `${facts.path}  ${count.format(facts.bytes)} bytes, ${facts.producer || 'unknown producer'}, opset ${facts.opsets['ai.onnx'] ?? '?'}`,
    );
    for (const v of facts.inputs) print(`  in   ${v.name}  ${v.dtype}${shape(v.dims)}`);
    for (const v of facts.outputs) print(`  out  ${v.name}  ${v.dtype}${shape(v.dims)}`);
    print(
      `  ${count.format(facts.nodes)} nodes, ${count.format(facts.parameters)} parameters, ${facts.macs === null ? 'unknown' : count.format(facts.macs)} multiply-accumulates a row`,
    );
    print(`  operators: ${facts.operators.map((o) => `${o.op}×${o.count}`).join(', ')}`);
    if (facts.withoutGradient.length === 0) print('  every node has a gradient');
    for (const n of facts.withoutGradient) print(`  no gradient: ${n.node} (${n.op}): ${n.reason}`);
    for (const note of facts.notes) print(`  note: ${note}`);
    return exits.ok;
  },
};
