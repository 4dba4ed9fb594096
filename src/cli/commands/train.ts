import { Fault } from '../../base/fault.ts';
import { word } from '../arguments.ts';
import { type CliCommand, exitOf } from '../define.ts';
import { checkOutputs } from '../outputs.ts';
import { present, quiet } from '../present.ts';
import { deviceOf, outputFlags, runFlags } from '../subject.ts';

export const train: CliCommand = {
  name: 'train',
  usage: 'assay train RECIPE.json -o OUT.onnx [--resume [--force]]',
  words: 1,
  summary: 'Trains the model of a recipe and saves it as ONNX.',
  flags: () => ({
    out: { value: 'OUT.onnx', short: 'o', help: 'Where the trained model is saved.' },
    device: runFlags.device,
    resume: { help: 'Goes on from the last checkpoint beside OUT.onnx.' },
    force: { help: 'Resumes although the recipe has changed.' },
    ...outputFlags,
  }),
  async run(typed, terminal) {
    const recipe = word(typed, 0, 'the recipe file', train.usage);
    const { out, resume, force } = typed.flags;
    if (out === undefined) throw new Fault('option/missing', { name: '-o OUT.onnx', usage: train.usage });
    await checkOutputs(typed, [recipe]);
    const ask = { recipe, out, device: deviceOf(typed), resume: resume !== undefined, force: force !== undefined };
    const result = await terminal.submit('Training', 'train', ask);
    await present([result.report], typed, terminal);
    if (!quiet(typed)) terminal.print(`Model: ${result.out}`);
    return exitOf[result.report.outcome];
  },
};
