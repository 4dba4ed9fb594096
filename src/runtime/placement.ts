import type { Provider } from './session.ts';

/** Which provider ran how many nodes of the compiled graph. Copies between devices are counted apart. */
export interface Placement {
  readonly nodes: Readonly<Partial<Record<Provider, number>>>;
  readonly copies: number;
  /** Operators that stayed on the CPU, most frequent first. */
  readonly onCpu: readonly string[];
}

const providers: Readonly<Record<string, Provider>> = {
  CPUExecutionProvider: 'cpu',
  CUDAExecutionProvider: 'cuda',
  WebGpuExecutionProvider: 'webgpu',
  DmlExecutionProvider: 'dml',
  CoreMLExecutionProvider: 'coreml',
};

/** Reads ONNX Runtime's profile: one JSON event per line, of which `…_kernel_time` says where a node ran. */
export const placementOf = (profile: string): Placement => {
  const seen = new Set<string>();
  const nodes: Partial<Record<Provider, number>> = {};
  const cpuOps = new Map<string, number>();
  let copies = 0;
  for (const line of profile.split('\n')) {
    if (!line.includes('_kernel_time"')) continue;
    const [, name = ''] = /"name" ?: ?"([^"]*)"/.exec(line) ?? [];
    const [, op = ''] = /"op_name" ?: ?"([^"]*)"/.exec(line) ?? [];
    const [, index = ''] = /"node_index" ?: ?"([^"]*)"/.exec(line) ?? [];
    const [, where = ''] = /"provider" ?: ?"([^"]*)"/.exec(line) ?? [];
    const provider = providers[where];
    const key = `${name}/${op}/${index}`;
    if (!provider || seen.has(key)) continue;
    seen.add(key);
    if (op === 'MemcpyToHost' || op === 'MemcpyFromHost') {
      copies++;
      continue;
    }
    nodes[provider] = (nodes[provider] ?? 0) + 1;
    if (provider === 'cpu') cpuOps.set(op, (cpuOps.get(op) ?? 0) + 1);
  }
  return { nodes, copies, onCpu: [...cpuOps].sort((a, b) => b[1] - a[1]).map(([op]) => op) };
};

/** e.g. `12 of 14 nodes on webgpu, 2 on the CPU (Shape, Gather)`. */
export const placementSentence = (device: Provider, { nodes, onCpu }: Placement): string => {
  const all = Object.values(nodes).reduce((n, k) => n + k, 0);
  const here = nodes[device] ?? 0;
  const rest = all - here;
  const ops = onCpu.length > 4 ? `${onCpu.slice(0, 4).join(', ')}, …` : onCpu.join(', ');
  return `${here} of ${all} nodes on ${device}${rest ? `, ${rest} on the CPU (${ops})` : ''}`;
};
