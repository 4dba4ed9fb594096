import { Fault } from '../../base/fault.ts';
import { shapleyValues } from '../../base/maths/kernel-shap.ts';
import { baselinesOf } from './baselines.ts';
import { hiddenValues, type Places, placesOf } from './hiding.ts';
import { type Attributed, completenessOf, type Grid, type How, type MethodContext, type MethodsOf } from './method.ts';
import { upsample } from './upsample.ts';

/** One number per place: a map over a picture or signal; where every input is a place of its own, the inputs. */
const gridOf = ({ height, width, inputs }: Places): Grid =>
  height === 1 && inputs.every((list, i) => list.length === 1 && list[0] === i) ? { kind: 'inputs' } : { kind: 'map', height, width };

interface Asked {
  readonly places: Places;
  /** One row's scores from f at copies of it with parts hidden; `f` are the values at the row and at the baseline. */
  readonly score: (
    row: number,
    ask: (copies: number, keep: (copy: number, share: Float32Array) => void) => Promise<Float64Array>,
    f: readonly [number, number],
  ) => Promise<Float64Array>;
  readonly how: How;
  readonly complete?: true;
}

/** Rows scored one by one, averaged over baselines. */
const scored = async (
  context: MethodContext,
  { places, score, how, complete }: Asked,
): Promise<{ readonly found: Attributed; readonly how: How }> => {
  const { question, samples, rows, axes, chosen, job } = context;
  const { all, name } = await baselinesOf(chosen.baseline, question.x, samples, rows, axes, job);
  const tool = await context.tool();
  const n = question.targets.length;
  const size = places.inputs.length;
  const values = new Float64Array(n * size);
  const [output, start] = [new Float64Array(n), new Float64Array(n)];
  for (let b = 0; b < n; b++) {
    for (const baseline of all) {
      const ask = (copies: number, keep: (copy: number, share: Float32Array) => void): Promise<Float64Array> =>
        hiddenValues(tool, question, b, baseline, places, copies, keep, job);
      const [whole, none] = await ask(2, (copy, share) => share.fill(copy === 0 ? 1 : 0));
      output[b] = whole;
      start[b] += none / all.length;
      const found = await score(b, ask, [whole, none]);
      for (let k = 0; k < size; k++) values[b * size + k] += found[k] / all.length;
    }
    job.progress((b + 1) / n, `${b + 1} of ${n} samples`);
  }
  const completeness = complete ? { completeness: completenessOf(values, output, start, new Int32Array(n).fill(chosen.masks)) } : {};
  return { found: { values, output, grid: gridOf(places), ...completeness }, how: [{ label: 'Baseline', value: name }, ...how] };
};

const withWindow = ({ chosen: { window, stride }, axes, samples }: Pick<MethodContext, 'chosen' | 'axes' | 'samples'>, places: Places) => {
  const table = places.height === 1 && (samples.inputDims.length === 1 || samples.embedding !== undefined);
  const side = window > 0 ? window : table ? 1 : Math.ceil((axes ? places.height : places.width) / 8);
  const step = stride > 0 ? stride : Math.max(1, Math.floor(side / 2));
  if (side > Math.max(places.height, places.width))
    throw new Fault('diagnostic/window', { window: side, height: places.height, width: places.width });
  if (step > side) throw new Fault('diagnostic/stride', { window: side, stride: step });
  return { side, step };
};

/** Places covered by each window; those at the border are cut off there. */
const windowsOf = ({ height, width }: Places, side: number, step: number): readonly (readonly number[])[] => {
  const starts = (length: number): number[] => {
    const count = Math.max(1, Math.ceil((length - Math.min(side, length)) / step) + 1);
    return Array.from({ length: count }, (_, i) => i * step);
  };
  return starts(height).flatMap((y) =>
    starts(width).map((x) => {
      const out: number[] = [];
      for (let r = y; r < Math.min(height, y + side); r++) for (let c = x; c < Math.min(width, x + side); c++) out.push(r * width + c);
      return out;
    }),
  );
};

/** Side of the coarse grid of RISE's masks, and the chance that a cell of it is kept (Petsiuk et al. 2018, section 3.2). */
const COARSE = 7;
const KEPT = 0.5;

/** Random masks: a coarse grid of 0 and 1, made larger bilinearly and shifted; for a row of columns each is kept or not. */
const maskDrawer = ({ height, width }: Places, random: { next(): number; below(n: number): number }): ((share: Float32Array) => void) => {
  if (height === 1 && width <= COARSE * COARSE)
    return (share) => {
      for (let k = 0; k < share.length; k++) share[k] = Number(random.next() < KEPT);
    };
  const [rows, columns] = [Math.min(COARSE, height), Math.min(COARSE, width)];
  const [ch, cw] = [Math.ceil(height / rows), Math.ceil(width / columns)];
  const [h, w] = [(rows + 1) * ch, (columns + 1) * cw];
  return (share) => {
    const coarse = Float64Array.from({ length: (rows + 1) * (columns + 1) }, () => Number(random.next() < KEPT));
    const large = upsample(coarse, rows + 1, columns + 1, h, w);
    const [top, left] = [random.below(ch), random.below(cw)];
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) share[y * width + x] = large[(y + top) * w + x + left];
  };
};

/** Blocks of a picture or signal that KernelSHAP takes as its players; columns are players themselves. */
const PLAYERS = 7;
const playersOf = ({ height, width, inputs }: Places): { readonly of: Int32Array; readonly count: number } => {
  if (height === 1 && inputs.length <= PLAYERS * PLAYERS) return { of: Int32Array.from(inputs, (_, i) => i), count: inputs.length };
  const [rows, columns] = [Math.min(PLAYERS, height), Math.min(height === 1 ? PLAYERS * PLAYERS : PLAYERS, width)];
  const of = Int32Array.from(inputs, (_, i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    return Math.floor((y * rows) / height) * columns + Math.floor((x * columns) / width);
  });
  return { of, count: rows * columns };
};

export const perturbationMethods: MethodsOf<'occlusion' | 'rise' | 'kernel-shap'> = {
  occlusion: {
    kind: 'importance',
    meaning:
      'Each value is how much the output falls when what lies there is hidden; hidden parts look like nothing the model was trained on, so a fall may be surprise rather than lost evidence',
    /** f(x) − f(x with the window hidden), written to every place covered and averaged over windows (Zeiler and Fergus 2014). */
    async run(context) {
      const places = placesOf(context.samples, context.axes);
      const { side, step } = withWindow(context, places);
      const windows = windowsOf(places, side, step);
      const score: Asked['score'] = async (_, ask, [whole]) => {
        const f = await ask(windows.length, (copy, share) => {
          share.fill(1);
          for (const k of windows[copy]) share[k] = 0;
        });
        const [sums, counts] = [new Float64Array(places.inputs.length), new Float64Array(places.inputs.length)];
        windows.forEach((list, i) => {
          for (const k of list) {
            sums[k] += whole - f[i];
            counts[k]++;
          }
        });
        return sums.map((s, k) => (counts[k] > 0 ? s / counts[k] : 0));
      };
      return scored(context, { places, score, how: [{ label: 'Window', value: `${side}, stride ${step}` }] });
    },
  },
  rise: {
    kind: 'importance',
    meaning:
      'Each value is the mean output over random masks that keep what lies there: the map is coarse, and its level says little, only where it is higher than elsewhere; few masks leave noise',
    /** Σ f(x∘M)·M / (N·E M) (Petsiuk et al. 2018, eq. 6), what a mask hides replaced by the baseline. */
    async run(context) {
      const places = placesOf(context.samples, context.axes);
      const { masks } = context.chosen;
      const size = places.inputs.length;
      const score: Asked['score'] = async (row, ask) => {
        const drawer = (): ((share: Float32Array) => void) => maskDrawer(places, context.job.random(`rise/${context.rows[row]}`));
        const draw = drawer();
        const f = await ask(masks, (_, share) => draw(share));
        const again = drawer();
        const [sums, share] = [new Float64Array(size), new Float32Array(size)];
        for (const v of f) {
          again(share);
          for (let k = 0; k < size; k++) sums[k] += v * share[k];
        }
        return sums.map((s) => s / (masks * KEPT));
      };
      return scored(context, { places, score, how: [{ label: 'Masks', value: masks }] });
    },
  },
  'kernel-shap': {
    kind: 'contributions',
    meaning:
      'Each value is its part’s Shapley value, its average effect over all orders of revealing the parts, estimated from the coalitions asked about; parts of a picture are blocks, and hidden ones look like nothing the model was trained on',
    async run(context) {
      const places = placesOf(context.samples, context.axes);
      const { of, count } = playersOf(places);
      const { masks } = context.chosen;
      const exact = count <= 30 && 2 ** count - 2 <= masks;
      if (!exact && masks < 2 * count) throw new Fault('diagnostic/coalitions', { players: count, masks });
      const sizes = new Float64Array(count);
      for (const p of of) sizes[p]++;
      const score: Asked['score'] = async (row, ask, f) => {
        const random = context.job.random(`kernel-shap/${context.rows[row]}`);
        const phi = await shapleyValues(count, masks, f, random, (coalitions) =>
          ask(coalitions.length, (copy, share) => {
            for (let k = 0; k < share.length; k++) share[k] = Number(coalitions[copy][of[k]]);
          }),
        );
        return Float64Array.from(of, (p) => phi[p] / sizes[p]);
      };
      const how = [{ label: 'Players', value: `${count}${count < of.length ? ' blocks' : ''}, ${exact ? 'all' : masks} coalitions` }];
      return scored(context, { places, score, how, complete: true });
    },
  },
};
