import { Fault } from '../../base/fault.ts';
import { word } from '../arguments.ts';
import { type CliCommand, exits } from '../define.ts';
import { checkOutputs } from '../outputs.ts';

const products = ['hvp', 'ggn', 'fisher'] as const;
const perExamples = ['norms', 'gradients'] as const;

export const grad: CliCommand = {
  name: 'grad',
  usage: 'assay grad MODEL.onnx -o OUT.onnx --of NAME|cross-entropy|mse|sum[:OUTPUT] [--wrt inputs|parameters|NAME,…]',
  words: 1,
  summary: 'Writes the gradient of a model as a plain ONNX graph.',
  flags: () => ({
    out: { value: 'OUT.onnx', short: 'o', help: 'Where the gradient graph is saved.' },
    of: { value: 'LOSS', help: 'What is differentiated: a value, cross-entropy, mse or sum, of one output.' },
    loss: { value: 'LOSS.onnx', help: 'A loss given as a graph.' },
    wrt: { value: 'WHAT', help: 'inputs (default), parameters, or names separated by commas.' },
    product: { value: products.join('|'), help: 'A curvature-vector product instead of the gradient alone.' },
    hvp: { help: 'Short for --product hvp.' },
    perExample: { value: perExamples.join('|'), help: 'Per-example gradient norms or gradients.' },
    jacobian: { help: 'Jacobians of the output.' },
    check: { value: 'DATA', help: 'Runs the gradient on data (a file, zeros, ones or random) and names the node behind NaN or infinity.' },
    json: { value: 'F', help: 'Writes what was made as JSON (- for standard output).' },
  }),
  async run(typed, terminal) {
    const { out, of, loss, wrt, perExample: per, jacobian, check, json } = typed.flags;
    const model = word(typed, 0, 'the model file', grad.usage);
    if (out === undefined) throw new Fault('option/missing', { name: '-o OUT.onnx', usage: grad.usage });
    if (of === undefined && loss === undefined) throw new Fault('option/missing', { name: '--of', usage: grad.usage });
    await checkOutputs(typed, [model, loss]);
    if (typed.flags.hvp && typed.flags.product) throw new Fault('option/twice', { name: '--product' });
    const product = products.find((p) => p === (typed.flags.hvp ? 'hvp' : typed.flags.product));
    if (typed.flags.product !== undefined && !product)
      throw new Fault('option/value', { name: 'product', value: typed.flags.product, expected: `one of ${products.join(', ')}` });
    const perExample = perExamples.find((p) => p === per);
    if (per !== undefined && !perExample)
      throw new Fault('option/value', { name: 'perExample', value: per, expected: `one of ${perExamples.join(', ')}` });
    const result = await terminal.submit('Differentiating', 'grad', {
      model,
      out,
      of: of ?? '',
      wrt: (wrt ?? 'inputs').split(','),
      ...(loss ? { loss } : {}),
      ...(product ? { product } : {}),
      ...(perExample ? { perExample } : {}),
      ...(jacobian ? { jacobian: true } : {}),
      ...(check === undefined ? {} : { check }),
    });
    if (json !== undefined) await terminal.save(json, `${JSON.stringify(result, undefined, 2)}\n`);
    if (json !== '-') {
      terminal.print(
        `${result.out}: ${result.nodes} nodes\n  inputs   ${result.inputs.join(', ')}\n  outputs  ${result.outputs.join(', ')}`,
      );
      for (const note of result.notes) terminal.print(`  note: ${note}`);
    }
    if (json !== '-' && result.check) terminal.print(`  check: ${result.check.sentence}`);
    return result.check?.finite === false ? exits.failed : exits.ok;
  },
};
