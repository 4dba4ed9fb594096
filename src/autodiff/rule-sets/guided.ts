import { Fault } from '../../base/fault.ts';
import { numbersOf } from '../../graph/constant.ts';
import type { Emit } from '../../graph/emit.ts';
import type { Node } from '../../graph/types.ts';
import { type Rule, type Rules, wanted } from '../rule.ts';
import { type Path, plain } from './path.ts';

/** Clip from 0 on is a rectifier (ReLU6). */
const fromZero = (emit: Emit, node: Node): boolean => {
  const low = node.inputs[1] ? emit.constantOf(node.inputs[1]) : undefined;
  return low !== undefined && Number(numbersOf(low)[0]) === 0;
};

/**
 * Guided backpropagation (Springenberg et al. 2014, section 3.4): at every rectifier the cotangent g passes as g·(z > 0)·(g > 0);
 * the deconvolutional network (Zeiler and Fergus 2014) passes g·(g > 0), whatever z was.
 */
export const rectified = (kind: 'guided' | 'deconvolution', path: Path, emit: Emit): Rules => {
  const rectifiers = new Set(['Relu', 'LeakyRelu', 'Clip']);
  if (!path.nodes.some((n) => n.domain === '' && rectifiers.has(n.op)))
    throw new Fault('graph/no-rectifier', { set: kind, input: path.input, output: path.output });
  for (const n of path.nodes) if (rectifiers.has(n.op)) emit.mark(n.outputs[0], wanted);
  const rule = (node: Node, emit: Emit): Rule => {
    const back = plain(emit, node, 0);
    if (!back || (node.op === 'Clip' && !fromZero(emit, node))) return { back: (i) => plain(emit, node, i) };
    return { back: [(e, g, site) => (kind === 'guided' ? back(e, e.Relu(g), site) : e.Relu(g))] };
  };
  return { Relu: rule, LeakyRelu: rule, Clip: rule };
};
