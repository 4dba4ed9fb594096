import { test } from 'node:test';
import { families } from './cases/index.ts';
import { check, checkTypes } from './check.ts';

for (const [family, cases] of Object.entries(families)) {
  for (const one of cases) {
    test(`${family}: ${one.name}`, async () => {
      await check(one);
      await check(one, 'unknown');
      await checkTypes(one);
    });
  }
}
