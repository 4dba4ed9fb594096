/** Faults of ONNX files and graphs. */
export const graphFaults = {
  'graph/not-onnx': (d: { path: string; reason: string }): string => `'${d.path}' is not a complete ONNX model: ${d.reason}.`,
  'graph/no-gradient': (d: { wanted: string; blocking: readonly string[]; reachable: readonly string[] }): string =>
    `No gradient can flow to '${d.wanted}': it is stopped at ${d.blocking.join(', ')}. Reachable: ${d.reachable.join(', ') || 'nothing'}.`,
};
