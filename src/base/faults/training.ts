/** Faults of recipes and training runs. */
const suggest = (nearest: string): string => (nearest ? ` Did you mean '${nearest}'?` : '');

export const trainingFaults = {
  'training/recipe': (d: { path: string; where: string; reason: string }): string => `Recipe '${d.path}', ${d.where}: ${d.reason}.`,
  'training/key': (d: { path: string; where: string; nearest: string; known: readonly string[] }): string =>
    `Recipe '${d.path}' has an unknown key '${d.where}'.${suggest(d.nearest)} Keys there: ${d.known.join(', ')}.`,
  'training/architecture': (d: { arch: string; reason: string }): string => `Architecture '${d.arch}' does not fit the data: ${d.reason}.`,
  'training/parameter': (d: { path: string; pattern: string; nearest: string; known: readonly string[] }): string =>
    `Recipe '${d.path}' names '${d.pattern}', which matches no parameter.${suggest(d.nearest)} Parameters: ${d.known.join(', ') || 'none'}.`,
  'training/frozen': (d: { path: string }): string =>
    `Recipe '${d.path}' leaves nothing to train: let 'trainable' match at least one parameter.`,
};
