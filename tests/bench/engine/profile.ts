import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { write } from '../../../src/graph/write.ts';
import { load } from '../../../src/runtime/onnxruntime/native.ts';
import { round } from '../measure.ts';
import type { Call } from './subject.ts';

/** An operator's part of the time in kernels. */
export interface Share {
  readonly operator: string;
  readonly nodes: number;
  readonly share: number;
  readonly ms: number;
}

/** Where the time goes, by operator or by node, from ONNX Runtime's own profile of a few runs: least times, the largest shares. */
export const sharesOf = async (
  { model, feeds, wanted }: Omit<Call, 'run' | 'steps'>,
  threads: number,
  { runs = 5, by = 'operator' as 'operator' | 'node', most = 12 } = {},
): Promise<readonly Share[]> => {
  const ort = await load();
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'));
  try {
    const session = await ort.InferenceSession.create(write(model), {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      enableProfiling: true,
      profileFilePrefix: join(folder, 'run'),
      logSeverityLevel: 4,
    });
    const given = Object.fromEntries(
      Object.entries(feeds).map(([name, t]) => [name, new ort.Tensor(t.dtype as 'float32', t.data as Float32Array, t.dims)]),
    );
    for (let i = 0; i < runs + 2; i++) await session.run(given, wanted);
    session.endProfiling();
    await session.release();
    const [file] = readdirSync(folder);
    type Event = { readonly cat: string; readonly name: string; readonly dur: number; readonly args?: Readonly<Record<string, unknown>> };
    const events = (JSON.parse(readFileSync(join(folder, file), 'utf8')) as Event[]).filter(
      (e) => e.cat === 'Node' && e.name.endsWith('_kernel_time'),
    );
    const least = new Map<string, { operator: string; nodes: Set<string>; us: Map<string, number[]> }>();
    for (const { name, dur, args } of events) {
      const op = String(args?.op_name);
      if (op === 'Loop' || op === 'Scan' || op === 'If') continue;
      const shape = JSON.stringify(args?.output_type_shape ?? '').replaceAll('"', '');
      const from = JSON.stringify(args?.input_type_shape ?? '').replaceAll('"', '');
      const operator = by === 'node' ? `${op} ${name.replace('_kernel_time', '')} ${from}→${shape}` : op;
      const entry = least.get(operator) ?? { operator, nodes: new Set<string>(), us: new Map<string, number[]>() };
      const node = `${name}/${String(args?.node_index)}`;
      entry.nodes.add(node);
      entry.us.set(node, [...(entry.us.get(node) ?? []), dur]);
      least.set(operator, entry);
    }
    const min = (list: readonly number[]): number => list.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    const rows = Array.from(least.values(), ({ operator, nodes, us }) => ({
      operator,
      nodes: nodes.size,
      ms: [...us.values()].reduce((n, list) => n + min(list), 0) / 1000,
    }));
    const all = rows.reduce((n, r) => n + r.ms, 0);
    return rows
      .sort((a, b) => b.ms - a.ms)
      .slice(0, most)
      .map((r) => ({ ...r, ms: round(r.ms), share: round(r.ms / all) }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
