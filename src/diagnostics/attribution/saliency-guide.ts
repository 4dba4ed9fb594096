import { median } from '../../base/maths/quantile.ts';
import { overlayScale } from '../../base/overlay-scale.ts';
import { number, percent } from '../wording.ts';
import { type MethodId, methodReads } from './method-names.ts';
import { methods } from './methods.ts';
import type { AttributionChoice } from './options.ts';
import { ALMOST_ZERO } from './overlay.ts';
import { INCOMPLETE, inputName, type Saliency, strongest } from './saliency-result.ts';
import { wordsIn } from './tokens.ts';

/** What brings the gap down. */
export const remedy = (method: MethodId): string => {
  const reads = methodReads[method];
  if (reads.includes('quadrature')) return 'Set steps to 200, or quadrature to adaptive.';
  if (reads.includes('draws')) return 'Raise draws: the gap falls with the root of their number.';
  return reads.includes('steps') ? 'Raise steps: the gap falls with their number.' : 'Use Integrated Gradients.';
};

/** Share of the inputs, strongest first, that hold half of all |a| of one sample. */
const halfOf = (values: Float64Array): number => {
  const sizes = values.map(Math.abs).sort().reverse();
  const total = sizes.reduce((sum, v) => sum + v, 0);
  let [sum, k] = [0, 0];
  while (sum < total / 2) sum += sizes[k++];
  return k / sizes.length;
};

const complete = (s: Saliency, { method }: Pick<AttributionChoice, 'method'>): string => {
  const { completeness } = s.found;
  if (!completeness) return '';
  const worst = Math.max(...completeness.relative);
  return worst <= INCOMPLETE
    ? ` The maps add up to the change of the output within ${percent(worst)}, so the path integral can be trusted.`
    : ` The maps miss up to ${worst < 1 ? percent(worst) : 'more than all'} of the change of the output (median ${percent(median(completeness.relative))}): read nothing fine into them. ${remedy(method)}`;
};

/** What the maps say here, and what would change the decision. */
export const saliencyGuide = (s: Saliency, chosen: AttributionChoice): string => {
  const n = s.rows.length;
  const d = s.found.values.length / n;
  const { tokens } = s;
  const rows = s.rows.map((_, b) =>
    tokens ? Float64Array.from(wordsIn(tokens, b), ({ score }) => score) : s.found.values.subarray(b * d, (b + 1) * d),
  );
  const flat = rows.filter((r) => overlayScale(r, chosen.outliers) < ALMOST_ZERO).length;
  if (flat === n)
    return 'All maps are almost zero: the output does not react to these inputs. Check the preprocessing and, if the output is a saturated probability, name the logits as output.';
  const kind = tokens ? 'words' : s.found.grid?.kind === 'units' ? 'units' : 'inputs';
  const share = median(rows.filter((r) => r.some((v) => v !== 0)).map(halfOf));
  const spread =
    share < 0.15
      ? 'the answers rest on few inputs; if those are not what the task is about, suspect a shortcut and test by changing them'
      : 'the answers rest on many inputs at once, and no single one decides';
  const [first] = strongest(s);
  const table =
    s.pictures || s.tokens
      ? ''
      : ` The strongest is ${inputName(s, first.input)}, with a mean size of ${number(first.size)}${Math.abs(first.mean) < first.size / 2 ? ' and no constant sign' : first.mean > 0 ? ', mostly for the class' : ', mostly against the class'}.`;
  const wrong = s.labels ? s.rows.filter((_, b) => s.labels?.[b] !== s.predicted[b]).length : 0;
  const mistakes =
    wrong > 0 ? ` ${wrong} of the samples are answered wrongly: compare their maps with target 'label' to see what was missed.` : '';
  const zero = flat > 0 ? ` ${flat} of the ${n} maps are almost zero.` : '';
  return `In ${n === 1 ? 'this sample' : `the median of ${n} samples`} half of all attribution lies in ${percent(share)} of the ${kind}: ${spread}.${table}${complete(s, chosen)}${zero} ${methods[chosen.method].meaning}. A map that looks the same after the weights are redrawn shows the input, not the model.${mistakes}`;
};
