import { interleaved, told } from './engine/interleave.ts';
import { memoryFigures } from './engine/memory.ts';
import { openPeer, type Peer } from './engine/peer.ts';
import { type Share, sharesOf } from './engine/profile.ts';
import { specials } from './engine/special.ts';
import { kinds, subjectOf, threads } from './engine/subject.ts';
import { round } from './measure.ts';

/** Models of tests/fixtures and one that is made up, the slow ones last; `ASSAY_BENCH_MODELS` names another folder. */
const models = [
  ...['softmax_digits', 'mlp_digits', 'mlp_breast_cancer', 'mlp_diabetes', 'lstm_digits', 'gru_digits', 'text_sms', 'vit_digits'],
  ...['vit_mnist', 'lenet_mnist', 'resnet8_cifar10', 'mobilenet_v2_035', 'squeezenet1_1'],
];
const batches = (process.env.ASSAY_BENCH_BATCHES ?? '1,32,128').split(',').map(Number);
const memories: Readonly<Record<string, number>> = { lenet_mnist: 128, resnet8_cifar10: 128, squeezenet1_1: 32, mobilenet_v2_035: 32 };
/** Milliseconds that a figure takes on each side in each round. */
const share = 100;

interface Figure {
  readonly ms: number;
  /** Ours to our forward pass, and to PyTorch eager's same figure; below 1 is faster. */
  readonly forwardRatio: number;
  readonly peerMs?: number;
  readonly peerRatio?: number;
  readonly profile?: readonly Share[];
}

const modelFigures = async (name: string, peer: Peer | undefined): Promise<Readonly<Record<string, unknown>>> => {
  const subject = await subjectOf(name);
  const out: Record<string, Record<string, Figure>> = {};
  for (const batch of batches) {
    process.stderr.write(`  ${name} × ${batch}\n`);
    const timed = peer ? await peer.open(name, batch) : [];
    const row: Record<string, Figure> = {};
    for (const kind of kinds) {
      const task = await subject.task(kind, batch);
      if (!task) continue;
      const pair = await interleaved(task, peer && timed.includes(kind) ? { of: peer, kind } : undefined, share);
      row[kind] = {
        ...told(pair),
        forwardRatio: round(pair.ms / (row.forward?.ms ?? pair.ms)),
        ...(process.env.ASSAY_BENCH_PROFILE ? { profile: await sharesOf(task, threads) } : {}),
      };
    }
    out[batch] = row;
  }
  await subject.close();
  return out;
};

/**
 * The engine beside PyTorch eager, where `/usr/bin/python3` has it, in turns of one run: least times and their ratios.
 * `words` are names of models or of single figures, or how they begin; none means all. ASSAY_BENCH_PROFILE=1 adds the
 * operators that the time goes to, ASSAY_BENCH_BATCHES=1,32 chooses batch sizes, ASSAY_BENCH_PORTABLE=1 takes the gradients as
 * files hold them, without the convolutions of this machine.
 */
export const engineFigures = async (words: readonly string[]): Promise<Readonly<Record<string, unknown>>> => {
  const picked = (name: string): boolean => words.length === 0 || words.some((w) => name.startsWith(w));
  const known = [...models, ...Object.keys(specials), 'memory'];
  const unknown = words.find((w) => !known.some((name) => name.startsWith(w)));
  if (unknown !== undefined) throw new Error(`Unknown figure '${unknown}' of the engine. Figures: ${known.join(', ')}.`);
  const peer = await openPeer(threads);
  process.stderr.write(peer ? '  beside PyTorch\n' : '  /usr/bin/python3 has no torch: without a peer\n');
  const out: Record<string, unknown> = { threads, peer: peer ? await peer.version() : null };
  for (const name of models) if (picked(name)) out[name] = await modelFigures(name, peer);
  for (const [name, measure] of Object.entries(specials)) {
    if (!picked(name)) continue;
    process.stderr.write(`  ${name}\n`);
    out[name] = await measure(peer);
  }
  peer?.close();
  if (picked('memory')) {
    const memory: Record<string, unknown> = {};
    for (const [name, batch] of Object.entries(memories)) {
      process.stderr.write(`  memory of ${name} × ${batch}\n`);
      memory[name] = await memoryFigures(name, batch);
    }
    out.memory = memory;
  }
  return out;
};
