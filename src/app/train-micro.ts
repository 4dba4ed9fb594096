import type { Tensor } from '../base/tensor.ts';
import type { Compiled } from '../training/compile.ts';
import { vector } from '../training/layout.ts';
import type { Micro } from '../training/plan.ts';
import { microInputs } from '../training/step-inputs.ts';

/** The rows of an update in equal micro-batches; a step that is not cut has one. */
export interface Cut {
  readonly parts: number;
  readonly rows: number;
}
/** Micro-batches are up to so many times as many as they have to be, for as few rows as can be left over. */
const LOOSE = 8;
/** As few micro-batches as the cap allows, of those that leave the fewest rows over, which make a step of their own. */
export const cutOf = (size: number, cap: number | undefined): Cut => {
  const least = cap === undefined ? 1 : Math.ceil(size / cap);
  let parts = least;
  for (let n = least; n <= Math.min(size, LOOSE * least) && size % parts > 0; n++) if (size % n < size % parts) parts = n;
  return { parts, rows: Math.floor(size / parts) };
};

/** What the micro-batches of `count` updates are fed, each gone through once or, `again`, twice: V = spread · (mean square − ‖ḡ‖²). */
export const microFeeds = (
  { inputs: { each }, precision }: Compiled,
  { parts, rows }: Cut,
  { variance, along }: Micro,
  count: number,
  again: boolean,
): Record<string, Tensor> => {
  const passes = again ? 2 : 1;
  const [n, unit] = variance === 'examples' ? [parts * rows, 1] : [parts, rows];
  const spread = n > 1 ? (unit * n) / (n - 1) : Number.NaN;
  /** By place within the update. */
  const values: Readonly<Record<(typeof microInputs)[number], (i: number) => number>> = {
    share: (i) => (i < parts ? 1 / parts : 0),
    last: (i) => Number(i === passes * parts - 1),
    rows: () => parts * rows,
    spread: () => spread,
    again: (i) => (i < parts ? 0 : 1 / parts),
  };
  return Object.fromEntries(
    microInputs.flatMap((key) => {
      if (key === 'again' && !along) return [];
      const column = Array.from({ length: count * passes * parts }, (_, i) => values[key](i % (passes * parts)));
      return [[each[`micro/${key}`], vector(precision, column)]];
    }),
  );
};

const list = (tensor: Tensor): number[] => Array.from(tensor.data as Float32Array);

/** What a call gave, one number for each update: means over its micro-batches, or what the last one says of all. */
export const columnsOf = (
  { outputs }: Compiled,
  out: Readonly<Record<string, Tensor>>,
  parts: number,
): {
  readonly loss: number[];
  readonly accuracy: number[];
  readonly norms: number[];
  readonly flags: number[];
  readonly lines: Record<string, number[]>;
} => {
  const groups = (name: string): number[][] => {
    const all = list(out[name]);
    return Array.from({ length: Math.ceil(all.length / parts) }, (_, i) => all.slice(i * parts, (i + 1) * parts));
  };
  const mean = (name: string): number[] =>
    parts === 1 ? list(out[name]) : groups(name).map((g) => g.reduce((sum, v) => sum + v, 0) / g.length);
  const last = (name: string): number[] => (parts === 1 ? list(out[name]) : groups(name).map((g) => g.at(-1) ?? Number.NaN));
  const flagsOf = (): number[] => {
    if (parts > 1) return groups(outputs.finite).map((g) => Math.min(...g));
    if (outputs.finite) return list(out[outputs.finite]);
    const norms = list(out[outputs.gradientNorm]);
    return list(out[outputs.loss]).map((loss, i) => Number(Number.isFinite(loss + norms[i])));
  };
  return {
    loss: mean(outputs.loss),
    accuracy: outputs.accuracy ? mean(outputs.accuracy) : [],
    norms: last(outputs.gradientNorm),
    flags: flagsOf(),
    lines: Object.fromEntries(Object.entries(outputs.monitors).map(([line, name]) => [line, last(name)])),
  };
};
