/** Faults of fetching ONNX Runtime's CUDA libraries. Sizes in bytes. */
const size = (bytes: number): string => (bytes < 1e9 ? `${Math.ceil(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);

export const cudaFaults = {
  'cuda/platform': (d: { platform: string }): string => `ONNX Runtime's CUDA libraries exist for Linux on x64 only; this is ${d.platform}.`,
  'cuda/unreachable': (d: { host: string; reason: string }): string =>
    `The CUDA libraries cannot be fetched from '${d.host}' (${d.reason}); what came is kept, and the next attempt goes on from there.`,
  'cuda/no-package': (d: { name: string; version: string; host: string }): string =>
    `'${d.host}' has no package '${d.name}' of version ${d.version} with a checksum; CUDA cannot be installed for this version.`,
  'cuda/checksum': (d: { name: string; algorithm: string }): string =>
    `The download of '${d.name}' does not have the ${d.algorithm} checksum that was published for it and was deleted; try again.`,
  'cuda/disk': (d: { folder: string; needed: number; free: number | null }): string =>
    `'${d.folder}' has too little room: the CUDA libraries need ${size(d.needed)}${d.free === null ? '' : ` and ${size(d.free)} are free`}; make room and try again, what came is kept.`,
  'cuda/package': (d: { name: string; reason: string }): string => `The package '${d.name}' cannot be unpacked: ${d.reason}; try again.`,
  'cuda/place': (d: { path: string; reason: string }): string =>
    `The CUDA libraries cannot be put beside ONNX Runtime in '${d.path}' (${d.reason}); install the extension where you may write.`,
};
