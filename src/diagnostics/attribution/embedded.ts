import { float32, sizeOf } from '../../base/tensor.ts';
import type { Embedding, SamplesTool, Tools } from '../../evidence/evidence.ts';
import { inputValues } from './samples.ts';

/** Samples at the values that have a gradient: of tokens their embeddings, [tokens, width] a row. */
export interface EmbeddedSamples extends SamplesTool {
  readonly embedding?: Embedding;
}

/** The tools and rows that attribution works on: as they are, or where the input is tokens, their embeddings. */
export const attributable = async (
  tools: Pick<Tools, 'gradient' | 'samples'>,
  x: Float32Array,
  signal: AbortSignal,
): Promise<{
  readonly samples: EmbeddedSamples;
  readonly x: Float32Array;
  /** The tokens themselves. */
  readonly inputs?: Float32Array;
}> => {
  const { embedding } = tools.gradient;
  if (!embedding) return { samples: tools.samples, x };
  const inputDims = [embedding.tokens, embedding.width];
  const samples: EmbeddedSamples = {
    count: tools.samples.count,
    inputDims,
    embedding,
    ...(tools.samples.words ? { words: tools.samples.words } : {}),
    ...(tools.samples.padding === undefined ? {} : { padding: tools.samples.padding }),
    ...(tools.samples.mask === undefined ? {} : { mask: tools.samples.mask }),
    async take(positions, s) {
      const taken = await tools.samples.take(positions, s);
      const points = await embedding.of(inputValues(taken.x.data), s);
      return { ...taken, x: float32([points.length / sizeOf(inputDims), ...inputDims], points) };
    },
  };
  return { samples, x: await embedding.of(x, signal), inputs: x };
};
