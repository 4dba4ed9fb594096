import type { DType } from '../../src/base/tensor.ts';
import { type Emit, emitter } from '../../src/graph/emit.ts';
import type { Dim, Graph, TensorType } from '../../src/graph/types.ts';

/** A body: `make` gets names for `inputs` (element type, and dims where the file declares them) and gives the outputs. */
export const body = (
  emit: Emit,
  inputs: readonly (readonly [DType, (readonly Dim[])?] | 'sequence')[],
  make: (at: Emit, ...x: string[]) => readonly string[],
): Graph => {
  const types = inputs.map((i): TensorType | undefined =>
    i === 'sequence' ? undefined : { kind: 'tensor', dtype: i[0], ...(i[1] ? { dims: i[1] } : {}) },
  );
  const names = types.map((_, i) => emit.fresh(`in${i}`));
  const at = emitter({
    within: emit,
    types: new Map(names.flatMap((name, i) => (types[i] ? [[name, types[i]] as const] : []))),
    sequences: names.filter((_, i) => !types[i]),
  });
  const outputs = make(at, ...names).map((name) => {
    // An output is made by a node of its own.
    const out = names.includes(name) || !at.nodes.some((n) => n.outputs.includes(name)) ? at.Identity(name) : name;
    const type = at.type(out);
    return {
      name: out,
      ...(type
        ? { type: { kind: 'tensor' as const, dtype: type.dtype, ...(type.dims ? { dims: type.dims.map(() => undefined) } : {}) } }
        : {}),
    };
  });
  return {
    name: emit.fresh('body'),
    inputs: names.map((name, i) => (types[i] ? { name, type: types[i] } : { name })),
    outputs,
    nodes: at.nodes,
    initializers: new Map(),
    values: new Map(),
  };
};
/** Number of the turn and the condition, which every body of a Loop gets. */
export const turn: readonly (readonly [DType, readonly Dim[]])[] = [
  ['int64', []],
  ['bool', []],
];
