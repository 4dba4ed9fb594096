import { Fault } from '../../base/fault.ts';
import { word } from '../arguments.ts';
import { type CliCommand, exits } from '../define.ts';
import { checkOutputs } from '../outputs.ts';

export const keepUnits: CliCommand = {
  name: 'keep-units',
  usage: 'assay keep-units MODEL.onnx UNITS -o OUT.onnx',
  words: 2,
  summary: 'Writes a model with the first hidden units of its boosted head alone.',
  flags: () => ({
    out: { value: 'OUT.onnx', short: 'o', help: 'Where the smaller model is saved.' },
    json: { value: 'F', help: 'Writes what was made as JSON (- for standard output).' },
  }),
  async run(typed, terminal) {
    const { out, json } = typed.flags;
    const model = word(typed, 0, 'the model file', keepUnits.usage);
    const given = word(typed, 1, 'the number of units', keepUnits.usage);
    const units = Number(given);
    if (!Number.isInteger(units) || units < 1)
      throw new Fault('option/value', { name: 'UNITS', value: given, expected: 'a whole number from 1 on' });
    if (out === undefined) throw new Fault('option/missing', { name: '-o OUT.onnx', usage: keepUnits.usage });
    await checkOutputs(typed, [model]);
    const result = await terminal.submit('Keeping units', 'keepUnits', { model, units, out });
    if (json !== undefined) await terminal.save(json, `${JSON.stringify(result, undefined, 2)}\n`);
    if (json !== '-') {
      terminal.print(`${result.out}: the first ${result.units} of ${result.of} hidden units`);
      for (const note of result.notes) terminal.print(`  note: ${note}`);
    }
    return exits.ok;
  },
};
