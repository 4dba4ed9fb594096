import { test } from 'node:test';
import { families } from './cases/index.ts';
import { check, checkTypes } from './check.ts';

/** Families by the test file that runs them, so that files share the cores; the rest is in the last. */
const groups: readonly (readonly string[])[] = [
  ['elementwise', 'reduce', 'normalisation'],
  ['shape', 'selection', 'matmul', 'einsum', 'spectral'],
  ['convolution', 'pooling', 'neighbourhood', 'resampling', 'gridSample'],
  ['control', 'recurrent'],
];
export const checkFamilies = (group: 0 | 1 | 2 | 3 | 'others'): void => {
  const named = new Set(groups.flat());
  const chosen = group === 'others' ? Object.keys(families).filter((f) => !named.has(f)) : groups[group];
  for (const family of chosen) {
    for (const one of families[family]) {
      test(`${family}: ${one.name}`, async () => {
        await check(one);
        await checkTypes(one);
      });
    }
  }
};
