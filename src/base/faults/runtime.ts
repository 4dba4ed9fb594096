/** Faults of execution providers and sessions. */
export const runtimeFaults = {
  'runtime/device': (d: { device: string; reason: string; available: readonly string[] }): string =>
    `Device '${d.device}' cannot be used here: ${d.reason}. Available: ${d.available.join(', ')}.`,
  'runtime/session': (d: { model: string; reason: string }): string => `ONNX Runtime cannot open '${d.model}': ${d.reason}.`,
  'runtime/run': (d: { model: string; reason: string }): string => `ONNX Runtime failed while running '${d.model}': ${d.reason}.`,
};
