/** Faults of recipes and training runs. */
export const trainingFaults = {
  'training/recipe': (d: { path: string; where: string; reason: string }): string => `Recipe '${d.path}', ${d.where}: ${d.reason}.`,
};
