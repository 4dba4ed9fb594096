/** Faults of ONNX files and graphs. */
export const graphFaults = {
  'graph/not-onnx': (d: { path: string; reason: string }): string => `'${d.path}' is not a complete ONNX model: ${d.reason}.`,
  'graph/no-gradient': (d: { wanted: string; blocking: readonly string[]; reachable: readonly string[] }): string =>
    `No gradient can flow to '${d.wanted}': it is stopped at ${d.blocking.join(', ')}. Reachable: ${d.reachable.join(', ') || 'nothing'}.`,
  'graph/too-large': (d: { bytes: number }): string =>
    `The model holds ${(d.bytes / 2 ** 30).toFixed(1)} GB; one ONNX file holds at most 2 GB: store its weights as external data.`,
  'graph/external': (d: { location: string; reason: string }): string => `External data '${d.location}' cannot be used: ${d.reason}.`,
  'graph/illegal': (d: { name: string; problems: readonly string[] }): string =>
    `'${d.name}' is not a legal graph: ${d.problems.slice(0, 3).join('; ')}${d.problems.length > 3 ? `; and ${d.problems.length - 3} more` : ''}.`,
  'graph/unsupported': (d: { node: string; reason: string }): string => `Node ${d.node} cannot be read: ${d.reason}.`,
  'graph/opset': (d: { opset: number; oldest: number }): string =>
    `The model is written for operator set ${d.opset}; ONNX Runtime reads ${d.oldest} and later: export it again, or convert it with onnx.version_converter.`,
  'graph/inputs': (d: { name: string; input: string; others: readonly string[] }): string =>
    `'${d.name}' also needs ${d.others.map((o) => `'${o}'`).join(', ')} besides '${d.input}', and data can be bound to one input only; export it with one input.`,
  'graph/outputs': (d: { name: string; known: readonly string[] }): string =>
    `'${d.name}' has no output of floats to diagnose; it has ${d.known.join(', ')}. Export scores as a tensor (for scikit-learn: zipmap=False).`,
};
