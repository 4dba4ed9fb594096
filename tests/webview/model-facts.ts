import type { DiffSide, ModelProfile } from '../../src/report/model-study.ts';

/** A file of a comparison. */
export const side = (path: string, { macs = null, inputs = [], outputs = [] }: Partial<DiffSide> = {}): DiffSide => ({
  path,
  bytes: 1_000_000,
  producer: 'pytorch',
  opsets: { 'ai.onnx': 17 },
  inputs,
  outputs,
  nodes: 300,
  parameters: 123_456,
  macs,
});

export const profileOf = (layers: ModelProfile['layers']): ModelProfile => ({
  data: 'messages.csv',
  rows: 256,
  batch: 32,
  runs: 7,
  nodesMs: 120,
  optimisedMs: 80,
  layers,
  notes: ['Inputs were divided by 255.'],
});

/** What a layer's values were measured to be. */
export const measuredValues = { count: 1000, min: -1, max: 3, mean: 0.1, deviation: 0.5, zeros: 0.5, nan: 0, infinite: 0 };
