import { type Case, c, f, weight } from './case.ts';

/** One case of each; all variants are held against a float64 reference in recurrent.test.ts, since the kernels are float32 only. */
const cell = (op: string, gates: number, outputs: readonly boolean[]): Case =>
  c(op, [f([3, 2, 2], -1, 1), weight([1, gates * 2, 2]), weight([1, gates * 2, 2])], { hidden_size: 2 }, { outputs, single: true });

export const recurrent: readonly Case[] = [cell('LSTM', 4, [true, true, true]), cell('GRU', 3, [true, true]), cell('RNN', 1, [true, true])];
