/** Operators whose two calls with equal inputs differ. Dropout counts: where it only passes its input on, preparing a model removes it. */
export const chance: ReadonlySet<string> = new Set([
  ...['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Multinomial', 'Bernoulli', 'Dropout'],
]);
