/**
 * LSTM, GRU and RNN as the ONNX specification writes them, in float64, one number at a time. ONNX Runtime departs from it where
 * Affine, ThresholdedRelu and ScaledTanh are given no alpha and beta (it takes 0), and in the last states of an empty sequence
 * (0); so does this.
 */
export interface Cell {
  readonly op: 'LSTM' | 'GRU' | 'RNN';
  readonly direction?: 'forward' | 'reverse' | 'bidirectional';
  readonly activations?: readonly string[];
  readonly alpha?: readonly number[];
  readonly beta?: readonly number[];
  readonly clip?: number;
  readonly inputForget?: boolean;
  readonly linearBeforeReset?: boolean;
  readonly steps: number;
  readonly batch: number;
  readonly inputs: number;
  readonly hidden: number;
  readonly lengths?: readonly number[];
}
export type Numbers = Readonly<Record<string, ArrayLike<number> | undefined>>;
type F = (x: number) => number;

export const gates = { LSTM: 4, GRU: 3, RNN: 1 } as const;
const functions: Readonly<
  Record<string, { readonly alpha?: number; readonly beta?: number; readonly f: (x: number, a: number, b: number) => number }>
> = {
  sigmoid: { f: (x) => 1 / (1 + Math.exp(-x)) },
  tanh: { f: Math.tanh },
  relu: { f: (x) => Math.max(x, 0) },
  affine: { alpha: 0, beta: 0, f: (x, a, b) => a * x + b },
  leakyrelu: { alpha: 0.01, f: (x, a) => (x < 0 ? a * x : x) },
  thresholdedrelu: { alpha: 0, f: (x, a) => (x > a ? x : 0) },
  scaledtanh: { alpha: 0, beta: 0, f: (x, a, b) => a * Math.tanh(b * x) },
  hardsigmoid: { alpha: 0.2, beta: 0.5, f: (x, a, b) => Math.min(Math.max(a * x + b, 0), 1) },
  elu: { alpha: 1, f: (x, a) => (x < 0 ? a * Math.expm1(x) : x) },
  softsign: { f: (x) => x / (1 + Math.abs(x)) },
  softplus: { f: (x) => Math.log1p(Math.exp(x)) },
};
const defaults = { LSTM: ['Sigmoid', 'Tanh', 'Tanh'], GRU: ['Sigmoid', 'Tanh'], RNN: ['Tanh'] } as const;

/** alpha and beta are handed out in order, each to the next function that takes one. */
const activationsOf = (cell: Cell, directions: number): F[] => {
  const names = cell.activations ?? Array.from({ length: directions }, () => defaults[cell.op]).flat();
  const [alpha, beta] = [[...(cell.alpha ?? [])], [...(cell.beta ?? [])]];
  return names.map((name) => {
    const known = functions[name.toLowerCase()];
    const a = known.alpha === undefined ? 0 : (alpha.shift() ?? known.alpha);
    const b = known.beta === undefined ? 0 : (beta.shift() ?? known.beta);
    return (x) => known.f(x, a, b);
  });
};

export const reference = (cell: Cell, given: Numbers): { y: number[]; h: number[]; c: number[] } => {
  const { steps: T, batch: B, inputs: I, hidden: H } = cell;
  const G = gates[cell.op];
  const D = cell.direction === 'bidirectional' ? 2 : 1;
  const f = activationsOf(cell, D);
  const each = f.length / D;
  const limit = (v: number): number => (cell.clip === undefined ? v : Math.min(Math.max(v, -cell.clip), cell.clip));
  const y = new Array<number>(T * D * B * H).fill(0);
  const h = new Array<number>(D * B * H).fill(0);
  const c = new Array<number>(D * B * H).fill(0);
  const at = (name: string, i: number): number => given[name]?.[i] ?? 0;
  for (let d = 0; d < D; d++) {
    const backward = cell.direction === 'reverse' || d === 1;
    const act = f.slice(d * each, (d + 1) * each);
    for (let b = 0; b < B; b++) {
      const n = cell.lengths?.[b] ?? T;
      let hs = Array.from({ length: H }, (_, j) => at('h0', (d * B + b) * H + j));
      let cs = Array.from({ length: H }, (_, j) => at('c0', (d * B + b) * H + j));
      for (let k = 0; k < n; k++) {
        const t = backward ? n - 1 - k : k;
        const x = (gate: number, j: number): number => {
          let sum = at('b', d * 2 * G * H + gate * H + j);
          for (let i = 0; i < I; i++) sum += at('x', (t * B + b) * I + i) * at('w', (d * G * H + gate * H + j) * I + i);
          return sum;
        };
        const r = (gate: number, j: number, from: readonly number[]): number => {
          let sum = at('b', d * 2 * G * H + (G + gate) * H + j);
          for (let i = 0; i < H; i++) sum += from[i] * at('r', (d * G * H + gate * H + j) * H + i);
          return sum;
        };
        const units = Array.from({ length: H }, (_, j) => j);
        if (cell.op === 'LSTM') {
          const p = (gate: number, j: number): number => at('p', (d * 3 + gate) * H + j);
          const i = units.map((j) => act[0](limit(x(0, j) + r(0, j, hs) + p(0, j) * cs[j])));
          const g = units.map((j) => (cell.inputForget ? 1 - i[j] : act[0](limit(x(2, j) + r(2, j, hs) + p(2, j) * cs[j]))));
          const next = units.map((j) => g[j] * cs[j] + i[j] * act[1](limit(x(3, j) + r(3, j, hs))));
          hs = units.map((j) => act[0](limit(x(1, j) + r(1, j, hs) + p(1, j) * next[j])) * act[2](next[j]));
          cs = next;
        } else if (cell.op === 'GRU') {
          const z = units.map((j) => act[0](limit(x(0, j) + r(0, j, hs))));
          const s = units.map((j) => act[0](limit(x(1, j) + r(1, j, hs))));
          const reset = hs.map((v, j) => v * s[j]);
          const q = units.map((j) => act[1](limit(x(2, j) + (cell.linearBeforeReset ? s[j] * r(2, j, hs) : r(2, j, reset)))));
          hs = hs.map((v, j) => (1 - z[j]) * q[j] + z[j] * v);
        } else hs = units.map((j) => act[0](limit(x(0, j) + r(0, j, hs))));
        for (const j of units) y[((t * D + d) * B + b) * H + j] = hs[j];
      }
      for (let j = 0; n > 0 && j < H; j++) {
        h[(d * B + b) * H + j] = hs[j];
        c[(d * B + b) * H + j] = cs[j];
      }
    }
  }
  return { y, h, c };
};
