/** Operators that might have a derivative and have no rule, and why. A gradient that needs one is refused with this reason. */
const because = (reason: string, ...operators: readonly string[]): Record<string, string> =>
  Object.fromEntries(operators.map((op) => [`com.microsoft.${op}`, reason]));

export const withoutRule: Readonly<Record<string, string>> = {
  ...because(
    'ONNX Runtime has no CPU kernel for it, with which a derivative could be checked',
    ...['BiasAdd', 'BiasDropout', 'BiasSoftmax', 'BiasSplitGelu', 'BitmaskBiasDropout', 'BitmaskDropout', 'ComplexMul', 'ComplexMulConj'],
    ...['DecoderAttention', 'DecoderMaskedSelfAttention', 'DequantizeBFP', 'DequantizeWithOrder', 'FusedMatMulActivation', 'GatedDeltaNet'],
    ...['GatedRelativePositionBias', 'GemmFastGelu', 'GemmFloat8', 'GemmaRotaryEmbedding', 'GroupNorm', 'Irfft', 'LongformerAttention'],
    ...['MulInteger', 'NhwcConv', 'NhwcFusedConv', 'PackedAttention', 'PackedMultiHeadAttention', 'PagedAttention', 'QLinearReduceMean'],
    ...['QOrderedAttention', 'QOrderedGelu', 'QOrderedLayerNormalization', 'QOrderedMatMul', 'QuantizeBFP', 'QuantizeWithOrder'],
    ...['ReduceSumInteger', 'RelativePositionBias', 'RemovePadding', 'RestorePadding', 'Rfft', 'SkipGroupNorm', 'TorchEmbedding'],
  ),
  ...because(
    "its data lie in the order of one machine's vector registers; write the file with graph optimisation level 'extended' instead of 'all'",
    ...['ReorderInput', 'ReorderOutput', 'Conv', 'MaxPool', 'GlobalMaxPool', 'AveragePool', 'GlobalAveragePool', 'Upsample'].map(
      (op) => `nchwc.${op}`,
    ),
  ),
  ...because(
    'it serves generation token by token, over caches that it changes in place',
    ...['DecoderMaskedMultiHeadAttention', 'NGramRepeatBlock', 'SparseAttention'],
  ),
  ...because(
    'only builders of large language models write it, and no rule is written for it',
    ...['EngramGate', 'GatedAdd', 'GatedRMSNorm', 'LinearAttention', 'LinearAttentionGate'],
  ),
  ...because(
    'its weights are packed for one kernel, and only their scales are floats',
    ...['GatherBlockQuantized', 'MatMulBnb4', 'MatMulFpQ4', 'QEmbedLayerNormalization', 'QMoE'],
  ),
  ...because(
    'neither exporters nor the optimiser of ONNX Runtime write it',
    ...['AttnLSTM', 'CropAndResize', 'MatMulInteger16', 'MaxpoolWithMask'],
    ...['SparseToDenseMatMul', 'Unique', 'WordConvEmbedding'],
  ),
};
