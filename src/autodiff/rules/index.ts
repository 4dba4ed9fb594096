import { Fault } from '../../base/fault.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import type { Rule, Rules } from '../rule.ts';
import { activation } from './activation.ts';
import { attentions } from './attention.ts';
import { contribActivation } from './contrib-activation.ts';
import { contribAttention } from './contrib-attention.ts';
import { contribExperts } from './contrib-experts.ts';
import { contribGroupAttention } from './contrib-group-attention.ts';
import { contribNormalisation } from './contrib-normalisation.ts';
import { contribProduct } from './contrib-product.ts';
import { contribQuantised } from './contrib-quantised.ts';
import { contribRotary } from './contrib-rotary.ts';
import { contribShape } from './contrib-shape.ts';
import { control } from './control.ts';
import { convolution } from './convolution.ts';
import { einsum } from './einsum.ts';
import { elementwise } from './elementwise.ts';
import { gridSampling } from './grid-sample.ts';
import { lossOperators } from './loss-operators.ts';
import { matmul } from './matmul.ts';
import { neighbourhood } from './neighbourhood.ts';
import { constant } from './no-gradient.ts';
import { normalisation } from './normalisation.ts';
import { pooling } from './pooling.ts';
import { quantisation } from './quantisation.ts';
import { recurrence } from './recurrent.ts';
import { reduce } from './reduce.ts';
import { resampling } from './resampling.ts';
import { selection } from './selection.ts';
import { sequence } from './sequence.ts';
import { shape } from './shape.ts';
import { spectral } from './spectral.ts';
import { withoutRule } from './without-rule.ts';

/** Convolutions are differentiated by formulas for weights of known shape; where it is not, they are refused by name when they are met. */
const sizedWeights =
  (op: 'Conv' | 'ConvTranspose') =>
  (node: Node, emit: Emit): Rule => {
    const w = node.inputs[1];
    if (emit.type(w)?.dims?.every((d) => typeof d === 'number')) {
      const entry = convolution[op];
      return typeof entry === 'function' ? entry(node, emit) : entry;
    }
    const refuse = (): never => {
      throw new Fault('graph/unknown-size', { node: `'${node.name || node.outputs[0]}' (${op}: the shape of '${w}' is not known)` });
    };
    return { back: () => refuse };
  };

/** Every operator with a derivative. */
export const rules: Rules = {
  ...elementwise,
  ...activation,
  ...reduce,
  ...matmul,
  ...attentions,
  ...einsum,
  ...resampling,
  ...gridSampling,
  ...convolution,
  Conv: sizedWeights('Conv'),
  ConvTranspose: sizedWeights('ConvTranspose'),
  ...pooling,
  ...neighbourhood,
  ...lossOperators,
  ...spectral,
  ...normalisation,
  ...shape,
  ...selection,
  ...control,
  ...recurrence,
  ...sequence,
  ...quantisation,
  ...contribActivation,
  ...contribNormalisation,
  ...contribProduct,
  ...contribExperts,
  ...contribAttention,
  ...contribGroupAttention,
  ...contribRotary,
  ...contribShape,
  ...contribQuantised,
};

const key = (op: string, domain: string): string => (domain ? `${domain}.${op}` : op);

export const hasRule = (op: string, domain = ''): boolean => Object.hasOwn(rules, key(op, domain));
/** The rule for a node, in `own` first. */
export const ruleOf = (node: Node, emit: Emit, own?: Rules): Rule | undefined => {
  const k = key(node.op, node.domain);
  const entry = own && Object.hasOwn(own, k) ? own[k] : Object.hasOwn(rules, k) ? rules[k] : undefined;
  return typeof entry === 'function' ? entry(node, emit) : entry;
};
/** Why an operator has no gradient by nature; undefined where it has one, or is not known. */
export const noGradientReason = (op: string, domain = ''): string | undefined => {
  const k = key(op, domain);
  return Object.hasOwn(constant, k) ? constant[k] : undefined;
};
/** Why an operator that might have a derivative has no rule; undefined where it has one, or is not known. */
export const noRuleReason = (op: string, domain = ''): string | undefined => {
  const k = key(op, domain);
  return Object.hasOwn(withoutRule, k) ? withoutRule[k] : undefined;
};
