import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readNpz } from '../../src/data/npz.ts';
import { nodesWithin } from '../../src/graph/walk.ts';
import { write } from '../../src/graph/write.ts';
import { numbers, open } from './ort.ts';
import { exported, exports } from './stock-exports.ts';

/** What Python's released onnxruntime package gave for the same files (golden/make/stock.py): norm, size and first entries of each output. */
const golden = readNpz(readFileSync(new URL('../golden/autodiff/stock.npz', import.meta.url)));
/** `domain:Operator`, those that the package can run on the CPU. */
const operators = new Set(new TextDecoder().decode(golden.operators.data as Uint8Array).split('\n'));

for (const one of exports) {
  test(`${one.name}: the exported file runs in ONNX Runtime for Python, with the same outputs`, async () => {
    const { model, feeds } = await exported(one);
    for (const { op, domain } of nodesWithin(model.graph))
      assert.ok(operators.has(`${domain}:${op}`), `the package has no ${domain} ${op}`);
    const found = Object.entries(await (await open(write(model)))(feeds));
    assert.deepEqual(
      found.map(([name]) => `${one.name}:${name}`).sort(),
      Object.keys(golden)
        .filter((k) => k.startsWith(`${one.name}:`))
        .sort(),
    );
    for (const [name, tensor] of found) {
      const values = numbers(tensor);
      const [norm, size, ...first] = numbers(golden[`${one.name}:${name}`]);
      assert.equal(values.length, size, name);
      // float32 sums of up to 1e4 terms, on another number of threads: 1e-4 of the output's norm.
      assert.ok(Math.abs(Math.hypot(...values) - norm) <= 1e-4 * norm + 1e-6, `${name}: norm ${Math.hypot(...values)} for ${norm}`);
      first.forEach((v, i) => void assert.ok(Math.abs(values[i] - v) <= 1e-4 * norm + 1e-6, `${name}[${i}]: ${values[i]} for ${v}`));
    }
  });
}
