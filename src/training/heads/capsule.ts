import { capsuleFormula, capsuleOptions, capsules } from '../capsule-layers.ts';
import { defineHead, type Head } from '../define-layers.ts';

export const capsule: Head = defineHead({
  id: 'capsule',
  source: 'Sabour, Frosst, Hinton 2017, arXiv:1710.09829; card 35-domain-weighted-capsules (arXiv:2306.17068)',
  about: 'Capsules on the features, routed by agreement: the score of a class is the length of its capsule, made for the loss `margin`.',
  formula: capsuleFormula,
  options: capsuleOptions,
  baseline: 'linear',
  build: (net, features, { width, classes }, chosen, random) => ({
    logits: capsules(net, { value: features, row: [width] }, classes, chosen, random).value,
  }),
});
