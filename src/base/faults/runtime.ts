/** Faults of execution providers and sessions. */
export const runtimeFaults = {
  'runtime/platform': (d: { platform: string; reason: string }): string =>
    `ONNX Runtime cannot be loaded on ${d.platform}: ${d.reason}. It has builds for Linux (glibc) x64 and arm64, Windows x64 and arm64, and macOS on Apple silicon.`,
  'runtime/device': (d: { device: string; reason: string; available: readonly string[] }): string =>
    `Device '${d.device}' cannot be used here: ${d.reason}. Available: ${d.available.join(', ')}.`,
  'runtime/session': (d: { model: string; reason: string }): string => `ONNX Runtime cannot open '${d.model}': ${d.reason}.`,
  'runtime/run': (d: { model: string; reason: string }): string => `ONNX Runtime failed while running '${d.model}': ${d.reason}.`,
  'runtime/memory': (d: { model: string; reason: string }): string =>
    `There was not enough memory to run '${d.model}': ${d.reason}. Use a smaller batch, or --device cpu if a GPU was in use.`,
  'runtime/input': (d: { model: string; input: string; expected: string; given: string }): string =>
    `Input '${d.input}' of '${d.model}' expects ${d.expected}, but was given ${d.given}.`,
  'runtime/feed': (d: { model: string; input: string; known: readonly string[] }): string =>
    `'${d.model}' has no input '${d.input}'; its inputs are ${d.known.join(', ') || 'none'}.`,
  'runtime/output': (d: { model: string; output: string; known: readonly string[] }): string =>
    `'${d.model}' has no output '${d.output}' that is a tensor; it has ${d.known.join(', ') || 'none'}.`,
};
