/** Faults of ONNX files and graphs. */
export const graphFaults = {
  'graph/not-onnx': (d: { path: string; reason: string }): string => `'${d.path}' is not a complete ONNX model: ${d.reason}.`,
  'graph/no-gradient': (d: { wanted: string; blocking: readonly string[]; reachable: readonly string[] }): string =>
    `No gradient can flow to '${d.wanted}': it is stopped at ${d.blocking.join(', ')}. Reachable: ${d.reachable.join(', ') || 'nothing'}.`,
  'graph/rule-set': (d: { set: string; nodes: readonly string[]; count: number }): string =>
    `${d.set} is not defined for ${d.nodes.join(', ')}${d.count > d.nodes.length ? ` and ${d.count - d.nodes.length} more` : ''}: use Integrated Gradients, which takes any differentiable model.`,
  'graph/no-rectifier': (d: { set: string; input: string; output: string }): string =>
    `${d.set === 'guided' ? 'Guided backpropagation' : 'Deconvolution'} changes the gradient at Relu, LeakyRelu and Clip, and none lies between '${d.input}' and '${d.output}': use the gradient.`,
  'graph/too-large': (d: { bytes: number }): string =>
    `The model holds ${(d.bytes / 2 ** 30).toFixed(1)} GB; one ONNX file holds at most 2 GB: store its weights as external data.`,
  'graph/external': (d: { location: string; reason: string }): string => `External data '${d.location}' cannot be used: ${d.reason}.`,
  'graph/illegal': (d: { name: string; problems: readonly string[] }): string =>
    `'${d.name}' is not a legal graph: ${d.problems.slice(0, 3).join('; ')}${d.problems.length > 3 ? `; and ${d.problems.length - 3} more` : ''}.`,
  'graph/unsupported': (d: { node: string; reason: string }): string => `Node ${d.node} cannot be read: ${d.reason}.`,
  'graph/opset': (d: { opset: number; oldest: number }): string =>
    `The model is written for operator set ${d.opset}; ONNX Runtime reads ${d.oldest} and later: export it again, or convert it with onnx.version_converter.`,
  'graph/rank': (d: { inputs: readonly string[] }): string =>
    `The file declares no shape for input ${d.inputs.map((i) => `'${i}'`).join(', ')}, and nothing can be told without one: export it with shapes, free axes named.`,
  'graph/inputs': (d: { name: string; input: string; others: readonly string[] }): string =>
    `'${d.name}' also needs ${d.others.map((o) => `'${o}'`).join(', ')} besides '${d.input}', and data can be bound to one input only; export it with one input.`,
  'graph/batch-axis': (d: { name: string; input: string; dims: string; axis: number }): string =>
    `Input '${d.input}' of '${d.name}' has shape ${d.dims}, its batch on axis ${d.axis}, but rows of data are bound to axis 0; export it batch first (batch_first=True), or put a Transpose before it.`,
  'graph/head': (d: { output: string; reason: string }): string =>
    `No head can be put behind output '${d.output}': ${d.reason}; export the model again with operator set 18.`,
  'graph/calibrator': (d: { output: string; reason: string }): string =>
    `No calibrator can be put behind output '${d.output}': ${d.reason}; export the model again with operator set 18 and the scores as an output of a node.`,
  'graph/outputs': (d: { name: string; known: readonly string[] }): string =>
    `'${d.name}' has no output of floats to diagnose; it has ${d.known.join(', ')}. Export scores as a tensor (for scikit-learn: zipmap=False).`,
  'graph/unknown-size': (d: { node: string }): string =>
    `The derivative of ${d.node} needs sizes that change from run to run; fix the sizes of the model's inputs.`,
  'grad/outputs': (d: { of: string; outputs: readonly string[] }): string =>
    d.outputs.length === 0
      ? `The model has no output of floats to take '${d.of}' of.`
      : `The model has several outputs of floats (${d.outputs.join(', ')}); say which: --of ${d.of}:${d.outputs[0]}.`,
  'grad/inputs': (d: { inputs: readonly string[] }): string =>
    `No input holds floats that reach the loss (${d.inputs.join(', ')}); name an intermediate value with --wrt, such as the output of the embedding.`,
  'grad/parameters': (_: Record<string, never>): string =>
    'No stored array of floats reaches the loss, so there are no parameters to differentiate by.',
  'grad/name': (d: { name: string }): string =>
    `The model already has a value named '${d.name}', which the gradient graph needs; rename it in the model.`,
  'grad/loss': (d: { reason: string }): string => `The loss graph cannot be used: ${d.reason}.`,
  'grad/product': (d: { product: string; of: string }): string =>
    `The product '${d.product}' needs a loss with a curvature of its own (cross-entropy, mse or a loss graph), not '${d.of}'.`,
  'grad/target': (d: { dims: string; path: string }): string =>
    `The loss takes a target of shape ${d.dims}, and '${d.path}' has one label a row; check with random instead.`,
  'grad/fisher': (_: Record<string, never>): string =>
    'The Fisher information is that of a likelihood, which a loss graph does not tell; take --product ggn, or cross-entropy or mse.',
  'grad/twice': (d: { name: string }): string => `--wrt names '${d.name}' twice; name it once.`,
  'grad/mixed': (d: { what: string; node: string }): string =>
    `${d.what} are not defined for this model: node ${d.node} mixes the rows of a batch, so what is computed for one row depends on the others; export the model in evaluation mode.`,
  'grad/rows': (d: { name: string }): string => `'${d.name}' has no free batch axis, so it has no rows to differentiate one by one.`,
};
