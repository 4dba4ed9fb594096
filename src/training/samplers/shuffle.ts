import { defineSampler, type Sampler } from '../define-run.ts';

/** Every row once an epoch, in an order of its own (Fisher–Yates). */
export const shuffle: Sampler = defineSampler({
  id: 'shuffle',
  source: 'Fisher and Yates 1938, in the form of Durstenfeld 1964',
  options: {},
  epoch({ count }, _, __, random) {
    const places = new Float64Array(count);
    for (let i = 0; i < count; i++) places[i] = i;
    return { places: random.shuffle(places) };
  },
});
