import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';
import type { DType } from '../base/tensor.ts';
import type { Emit } from '../graph/emit.ts';
import { renamed } from '../graph/passes/rename.ts';
import type { Dim, Model, TensorType, ValueInfo } from '../graph/types.ts';
import { freeInputs, nodesWithin } from '../graph/walk.ts';
import { finished, type Known, recording } from './differentiate.ts';
import { precise } from './half.ts';
import { jacobian } from './jacobian.ts';
import { crossEntropy, type Loss, logitsOf, meanSquare, total } from './loss.ts';
import { dequantised, parametersOf } from './parameters.ts';
import { perExample } from './per-example.ts';
import { gaussNewtonProduct, hessianProduct } from './products.ts';
import { gradients, reachable, stoppedAt } from './reverse.ts';

/** A gradient graph as `assay grad` is asked for it (names of its inputs and outputs: design/product.md). */
export interface GradientAsk {
  /** NAME, `cross-entropy`, `mse` or `sum`, the last three with `:OUTPUT`. */
  readonly of: string;
  /** `inputs`, `parameters`, names of values, patterns with `*`. */
  readonly wrt: readonly string[];
  /** A loss as a graph: its inputs are values of the model by name, the others become inputs of the result. */
  readonly loss?: { readonly model: Model; readonly known: Known };
  readonly product?: 'hvp' | 'ggn' | 'fisher';
  readonly perExample?: 'norms' | 'gradients';
  readonly jacobian?: boolean;
}
export interface GradientGraph {
  readonly model: Model;
  readonly wrt: readonly string[];
  readonly notes: readonly string[];
}

const kinds = ['cross-entropy', 'mse', 'sum'] as const;
const floats = new Set<DType>(['float32', 'float64', 'float16', 'bfloat16']);
const isFloatType = (type: TensorType | undefined): boolean => type !== undefined && floats.has(type.dtype);

/** What is differentiated: a loss, and the value its curvature or Jacobian is taken at. */
export interface Objective extends Loss {
  readonly kind: (typeof kinds)[number] | 'value' | 'graph';
  readonly logits: string;
  readonly inputs: readonly ValueInfo[];
}

const exists = (emit: Emit, name: string): boolean => emit.producer(name) !== undefined || emit.type(name) !== undefined;
const mustExist = (emit: Emit, what: string, name: string): string => {
  if (exists(emit, name)) return name;
  const known = [...emit.types.keys()];
  throw new Fault('id/unknown', { what, id: name, nearest: nearest(name, known), known: known.slice(0, 20) });
};

const input = (emit: Emit, name: string, type: TensorType): ValueInfo => {
  if (exists(emit, name)) throw new Fault('grad/name', { name });
  return { name: emit.typed(emit.fresh(name), type), type };
};
const infoOf = (emit: Emit, name: string): ValueInfo => {
  const type = emit.type(name);
  return type ? { name, type } : { name };
};

/** The loss as asked for, recorded. */
const objectiveOf = (emit: Emit, model: Model, ask: GradientAsk): Objective => {
  if (ask.loss) return lossGraph(emit, model, ask.loss.model, ask.loss.known);
  const outputs = model.graph.outputs.map((o) => o.name).filter((o) => isFloatType(emit.type(o)));
  const [kind, chosen] = [kinds.find((k) => ask.of === k || ask.of.startsWith(`${k}:`)), ask.of.slice(ask.of.indexOf(':') + 1)];
  if (!kind || exists(emit, ask.of)) {
    const name = mustExist(emit, 'value or loss', ask.of);
    return { ...total(emit, [name]), kind: 'value', logits: name, inputs: [] };
  }
  const named = ask.of.includes(':') ? mustExist(emit, 'output', chosen) : undefined;
  if (kind === 'sum') return { ...total(emit, named ? [named] : outputs), kind, logits: named ?? outputs[0], inputs: [] };
  if (!named && outputs.length !== 1) throw new Fault('grad/outputs', { of: kind, outputs });
  const output = named ?? outputs[0];
  const type = emit.type(output);
  const dims = type?.dims;
  if (kind === 'mse') {
    const target = input(emit, 'target', type ?? { kind: 'tensor', dtype: 'float32' });
    return { ...meanSquare(emit, output, target.name), kind, logits: output, inputs: [target] };
  }
  const target = input(emit, 'target', { kind: 'tensor', dtype: 'int64', dims: [dims?.[0], ...(dims?.slice(2) ?? [])] });
  return { ...crossEntropy(emit, output, target.name), kind, logits: logitsOf(emit, output).logits, inputs: [target] };
};

/** Records a loss given as a graph; its own values are renamed out of the way. */
const lossGraph = (emit: Emit, model: Model, loss: Model, known: Known): Objective => {
  const names = new Map<string, string>();
  const added: ValueInfo[] = [];
  const read = freeInputs(loss.graph).map((i) => i.name);
  if (!read.some((name) => emit.producer(name))) {
    const outputs = listed(model.graph.outputs.map((o) => o.name));
    const found = read.length > 0 ? `its inputs are ${listed(read)}` : 'it has no input';
    throw new Fault('grad/loss', {
      reason: `${found}, none of which the model computes; name an input after what the loss is of, such as ${outputs}`,
    });
  }
  for (const name of read) {
    names.set(name, name);
    if (!exists(emit, name)) added.push(input(emit, name, known.types.get(name) ?? { kind: 'tensor', dtype: 'float32' }));
  }
  const to = (name: string): string => {
    const found = names.get(name) ?? emit.fresh(`loss/${name}`);
    names.set(name, found);
    return found;
  };
  const scalars = loss.graph.outputs.filter(({ name }) => isFloatType(known.types.get(name)));
  if (scalars.length === 0) throw new Fault('grad/loss', { reason: 'it has no output of floats' });
  const graph = renamed(loss.graph, to);
  for (const [name, type] of known.types) if (names.has(name)) emit.typed(to(name), type);
  for (const [name, c] of graph.initializers) emit.hold(name, c);
  for (const node of graph.nodes) emit.node(node);
  const value = to(scalars[0].name);
  const used = [...names].flatMap(([from, name]) => (from === name && !added.some((i) => i.name === name) ? [name] : []));
  const logits = used.find((name) => model.graph.outputs.some((o) => o.name === name)) ?? used[0] ?? value;
  return {
    ...total(emit, [value]),
    kind: 'graph',
    logits,
    inputs: added,
    formula: `output '${scalars[0].name}' of the loss graph '${loss.graph.name}'`,
  };
};
const listed = (names: readonly string[]): string =>
  `${names
    .slice(0, 8)
    .map((n) => `'${n}'`)
    .join(', ')}${names.length > 8 ? ` and ${names.length - 8} more` : ''}`;
const pattern = (text: string): RegExp => new RegExp(`^${text.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);

/** The values to differentiate with respect to, in the file's order within each word. */
const wantedOf = (emit: Emit, model: Model, loss: string, ask: GradientAsk, notes: string[]): readonly string[] => {
  const inputs = freeInputs(model.graph).map((i) => i.name);
  const reach = reachable(emit, loss);
  const out = new Set<string>();
  // Those that the loss reaches; where there are none, the first, so that what stops it is named.
  const received = (names: readonly string[]): readonly string[] => {
    const found = names.filter((name) => reach.has(name));
    const lost = names.filter((name) => !reach.has(name));
    if (found.length === 0) return names.slice(0, 1);
    if (lost.length > 0) notes.push(`No gradient flows to ${listed(lost)}: it is stopped at ${stoppedAt(emit, loss, lost).join(', ')}.`);
    return found;
  };
  const twice = ask.wrt.find((word, i) => ask.wrt.indexOf(word) !== i);
  if (twice !== undefined) throw new Fault('grad/twice', { name: twice });
  for (const word of ask.wrt) {
    if (word === 'inputs' && !exists(emit, word)) {
      const found = inputs.filter((name) => isFloatType(emit.type(name)));
      if (found.length === 0) throw new Fault('grad/inputs', { inputs: inputs.map((name) => `'${name}' (${emit.type(name)?.dtype})`) });
      for (const name of received(found)) out.add(name);
    } else if (word === 'parameters' && !exists(emit, word)) {
      const numbers = dequantised(model.graph);
      if (numbers.length > 0) notes.push(`Quantised parameters are differentiated as the numbers they stand for: ${listed(numbers)}.`);
      const found = [...parametersOf(model.graph), ...numbers];
      if (found.length === 0) throw new Fault('grad/parameters', {});
      for (const name of received(found)) out.add(name);
    } else if (word.includes('*') && !exists(emit, word)) {
      const known = [...inputs, ...model.graph.initializers.keys(), ...model.graph.nodes.flatMap((n) => n.outputs)];
      const found = known.filter((name) => pattern(word).test(name) && isFloatType(emit.type(name)));
      if (found.length === 0)
        throw new Fault('id/unknown', {
          what: 'value',
          id: word,
          nearest: '',
          known: known.filter((name) => reach.has(name)).slice(0, 20),
        });
      for (const name of received(found)) out.add(name);
    } else out.add(mustExist(emit, 'value', word));
  }
  if (out.size === 0) throw new Fault('grad/inputs', { inputs });
  return [...out];
};

/** Builds the graph. Nothing is run. */
export const gradientGraph = (model: Model, known: Known & { readonly batch?: string }, ask: GradientAsk): GradientGraph => {
  const emit = recording(model.graph, known);
  const objective = objectiveOf(emit, model, ask);
  const notes: string[] = ask.jacobian ? [] : [objective.formula];
  const named = wantedOf(emit, model, objective.loss, ask, notes);
  const wrt = named.map((x) => precise(emit, x));
  const inputs: ValueInfo[] = [...freeInputs(model.graph), ...objective.inputs];
  const outputs: ValueInfo[] = [...model.graph.outputs];
  const give = (value: string, name: string, dims?: readonly Dim[]): void => {
    if (value === name) {
      if (!outputs.some((o) => o.name === name)) outputs.push(infoOf(emit, name));
      return;
    }
    if (exists(emit, name)) throw new Fault('grad/name', { name });
    emit.rename(value, emit.fresh(name));
    const type = emit.type(value);
    outputs.push(type ? { name, type: dims ? { ...type, dims } : type } : { name });
  };

  if (ask.jacobian) {
    jacobian(emit, objective.logits, wrt).forEach((value, i) => void give(value, `jac/${named[i]}`));
    notes.push(`Jacobian of '${objective.logits}'`);
  } else if (ask.perExample) {
    give(objective.loss, 'loss');
    const each = perExample(emit, model, objective, wrt, ask.perExample);
    if (ask.perExample === 'norms') give(each[0], 'norm/example');
    else each.forEach((value, i) => void give(value, `grad/example/${named[i]}`));
  } else {
    give(objective.loss, 'loss');
    const first = gradients(emit, objective.loss, wrt);
    wrt.forEach((x, i) => void give(first.get(x) ?? '', `grad/${named[i]}`, emit.type(x)?.dims));
    if (ask.product) {
      const vectors = wrt.map((x, i) => input(emit, `vec/${named[i]}`, emit.type(x) ?? { kind: 'tensor', dtype: 'float32' }));
      inputs.push(...vectors);
      const names = vectors.map((v) => v.name);
      if (ask.product !== 'hvp' && (objective.kind === 'sum' || objective.kind === 'value'))
        throw new Fault('grad/product', { product: ask.product, of: ask.of });
      if (ask.product === 'fisher' && objective.kind === 'graph') throw new Fault('grad/fisher', {});
      const found =
        ask.product === 'hvp'
          ? hessianProduct(emit, objective.loss, wrt, names)
          : gaussNewtonProduct(emit, objective.loss, objective.logits, wrt, names);
      wrt.forEach((x, i) => void give(found.get(x) ?? '', `${ask.product}/${named[i]}`, emit.type(x)?.dims));
    }
  }
  const result = finished(model, emit, inputs, outputs, known.block);
  const domains = new Set(Array.from(nodesWithin(result.graph), (n) => n.domain));
  const opsets = new Map([...model.opsets, ...[...domains].flatMap((d) => (model.opsets.has(d) ? [] : [[d, 1] as const]))]);
  const metadata = new Map([...model.metadata, ['assay.loss', objective.formula], ['assay.wrt', named.join(' ')]]);
  return { model: { ...result, opsets, metadata, producer: 'assay', producerVersion: '' }, wrt: named, notes };
};
