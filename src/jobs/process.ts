import type { UseCase } from '../app/ports.ts';
import type { TaskName } from '../report/tasks.ts';
import { serve } from './serve.ts';

/** Every task and where its use case lives; a module is loaded when its first job comes. */
const tasks: { readonly [T in TaskName]: () => Promise<UseCase<T>> } = {
  run: async () => (await import('../app/diagnose.ts')).diagnose,
  compare: async () => (await import('../app/compare.ts')).compare,
  suite: async () => (await import('../app/suite.ts')).suite,
  train: async () => (await import('../app/train.ts')).train,
  info: async () => (await import('../app/info.ts')).info,
  layers: async () => (await import('../app/layers.ts')).layers,
  weights: async () => (await import('../app/weights.ts')).weights,
  diff: async () => (await import('../app/model-diff.ts')).diff,
  profile: async () => (await import('../app/profile.ts')).profile,
  keepUnits: async () => (await import('../app/keep-units.ts')).keepUnits,
  grad: async () => (await import('../app/grad.ts')).grad,
  vectors: async () => (await import('../app/vectors.ts')).vectors,
  outline: async () => (await import('../app/outline.ts')).outline,
  draft: async () => (await import('../app/draft.ts')).draft,
  names: async () => (await import('../app/names.ts')).names,
  cost: async () => (await import('../app/cost.ts')).cost,
  attribute: async () => (await import('../app/attribute.ts')).attribute,
  data: async () => (await import('../app/data-table.ts')).data,
  dataSelection: async () => (await import('../app/data-selection.ts')).dataSelection,
  dataSlice: async () => (await import('../app/data-slice.ts')).dataSlice,
  dataRow: async () => (await import('../app/data-slice.ts')).dataRow,
  dataArrays: async () => (await import('../app/data-arrays.ts')).dataArrays,
  attributionMaps: async () => (await import('../app/attribution-maps.ts')).attributionMaps,
  predict: async () => (await import('../app/predict.ts')).predict,
  devices:
    async () =>
    (_, { runtime }) =>
      runtime.devices(),
};

serve(tasks, async () => (await import('./world.ts')).world());
