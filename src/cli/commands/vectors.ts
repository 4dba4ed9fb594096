import { Fault } from '../../base/fault.ts';
import { STEPS } from '../../base/maths/equiangular.ts';
import { type CliCommand, exits } from '../define.ts';
import { checkOutputs } from '../outputs.ts';
import { deviceOf, runFlags } from '../subject.ts';

export const vectors: CliCommand = {
  name: 'vectors',
  usage: 'assay vectors -o OUT.npz --count N [--dim D] [--alpha A] [--steps K] [--seed S]',
  words: 0,
  summary: 'Writes unit vectors with small cosines between them: directions of classes for the head ebv.',
  flags: () => ({
    out: { value: 'OUT.npz', short: 'o', help: 'Where the vectors are saved, as the array vectors [N, D].' },
    count: { value: 'N', help: 'How many vectors: one a class, and one for each that may come.' },
    dim: { value: 'D', help: 'Numbers in each; without it as many as vectors, which are then orthogonal.' },
    alpha: { value: 'A', help: 'Largest |cosine| of two; without it 1.25 times the least there can be (Welch bound).' },
    steps: { value: 'K', help: `Steps of the search at most, with each of two rates (default ${STEPS}).` },
    seed: { value: 'S', help: 'Equal seeds give equal vectors (default 0).' },
    device: runFlags.device,
    json: { value: 'F', help: 'Writes what was found as JSON (- for standard output).' },
  }),
  async run(typed, terminal) {
    const { out, json } = typed.flags;
    if (out === undefined) throw new Fault('option/missing', { name: '-o OUT.npz', usage: vectors.usage });
    if (typed.flags.count === undefined) throw new Fault('option/missing', { name: '--count', usage: vectors.usage });
    const number = (name: string, given: string | undefined, otherwise: number, [least, most]: readonly [number, number], whole = true) => {
      if (given === undefined) return otherwise;
      const value = given.trim() === '' ? Number.NaN : Number(given);
      if (!(value >= least && value <= most) || (whole && !Number.isInteger(value)))
        throw new Fault('option/value', {
          name: `--${name}`,
          value: given,
          expected: `a ${whole ? 'whole ' : ''}number from ${least} to ${most}`,
        });
      return value;
    };
    await checkOutputs(typed, []);
    const found = await terminal.submit('Searching vectors', 'vectors', {
      out,
      count: number('count', typed.flags.count, 0, [2, 65_536]),
      dim: number('dim', typed.flags.dim, 0, [2, 65_536]),
      alpha: number('alpha', typed.flags.alpha, -1, [0, 1], false),
      steps: number('steps', typed.flags.steps, STEPS, [1, 1e9]),
      seed: number('seed', typed.flags.seed, 0, [0, 4_294_967_295]),
      device: deviceOf(typed),
    });
    if (json !== undefined) await terminal.save(json, `${JSON.stringify(found, undefined, 2)}\n`);
    if (json !== '-') {
      const { count, dim, largest, bound, goal, reached } = found;
      terminal.print(`${out}: ${count} vectors in ${dim} dimensions`);
      terminal.print(
        `  largest |cosine|  ${largest.toPrecision(4)}   (Welch bound ${bound.toPrecision(4)}, wanted ${goal.toPrecision(4)})`,
      );
      if (!reached) terminal.print('  note: the search ended before the angle that was wanted; more steps or dimensions may reach it');
      terminal.print(`  in a recipe: "head": { "kind": "ebv", "vectors": "${out}" }`);
    }
    return exits.ok;
  },
};
