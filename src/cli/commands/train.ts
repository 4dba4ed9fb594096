import { Fault } from '../../base/fault.ts';
import { word } from '../arguments.ts';
import { type CliCommand, exitOf } from '../define.ts';
import { checkOutputs } from '../outputs.ts';
import { present, quiet } from '../present.ts';
import { deviceOf, outputFlags, runFlags } from '../subject.ts';

export const train: CliCommand = {
  name: 'train',
  usage: 'assay train RECIPE.json -o OUT.onnx [--resume [--force]] | --compare baseline [--seeds N]',
  words: 1,
  summary: 'Trains the model of a recipe and saves it as ONNX.',
  flags: () => ({
    out: { value: 'OUT.onnx', short: 'o', help: 'Where the trained model is saved.' },
    device: runFlags.device,
    resume: { help: 'Goes on from the last checkpoint beside OUT.onnx.' },
    compare: {
      value: 'OTHER.json',
      help: "Trains with several seeds beside another recipe, or beside 'baseline', the natural one of its parts; saves no model.",
    },
    seeds: { value: 'N', help: 'How many seeds to compare with, from that of the recipe on (default 5).' },
    force: { help: 'Resumes although the recipe has changed.' },
    ...outputFlags,
  }),
  async run(typed, terminal) {
    const recipe = word(typed, 0, 'the recipe file', train.usage);
    const { out, resume, force, compare, seeds } = typed.flags;
    if (compare !== undefined) {
      for (const [name, given] of Object.entries({ out, resume, force }))
        if (given !== undefined) throw new Fault('option/apart', { name: '--compare', other: name === 'out' ? '-o' : `--${name}` });
      const number = seeds === undefined ? 5 : Number(seeds);
      if (!Number.isInteger(number) || number < 1 || number > 1000)
        throw new Fault('option/value', { name: '--seeds', value: String(seeds), expected: 'a whole number from 1 to 1000' });
      await checkOutputs(typed, compare === 'baseline' ? [recipe] : [recipe, compare]);
      const ask = { recipe, out: '', device: deviceOf(typed), resume: false, force: false, compare: { with: compare, seeds: number } };
      const result = await terminal.submit('Training', 'train', ask);
      await present([result.report], typed, terminal);
      return exitOf[result.report.outcome];
    }
    if (seeds !== undefined) throw new Fault('option/missing', { name: '--compare', usage: train.usage });
    if (out === undefined) throw new Fault('option/missing', { name: '-o OUT.onnx', usage: train.usage });
    await checkOutputs(typed, [recipe]);
    const ask = { recipe, out, device: deviceOf(typed), resume: resume !== undefined, force: force !== undefined };
    const result = await terminal.submit('Training', 'train', ask);
    await present([result.report], typed, terminal);
    if (!quiet(typed) && result.out !== '') terminal.print(`Model: ${result.out}`);
    return exitOf[result.report.outcome];
  },
};
