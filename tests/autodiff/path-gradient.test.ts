import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inputGradient } from '../../src/autodiff/path-gradient.ts';
import { random } from '../../src/base/random.ts';
import { float32, int64 } from '../../src/base/tensor.ts';
import { pointsBetween } from '../../src/evidence/providers/gradient-paths.ts';
import { constantOf } from '../../src/graph/constant.ts';
import { emitter } from '../../src/graph/emit.ts';
import { write } from '../../src/graph/write.ts';
import { onnxruntime } from '../../src/runtime/onnxruntime.ts';
import { modelOf } from '../../src/training/plan.ts';
import { numbers, open } from './ort.ts';

const block = await onnxruntime().block();

/** A picture normalised by channel, a convolution by 2, a Relu, perhaps maxima of windows that overlap, and classes. */
const picture = (channels: number, maxima: boolean) => {
  const emit = emitter({ taken: ['x', 'y'] });
  const draw = random(3, 'picture');
  const held = (dims: readonly number[]): string =>
    emit.constant(
      constantOf(
        'float32',
        dims,
        Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => draw.normal() / 3),
      ),
    );
  emit.typed('x', { kind: 'tensor', dtype: 'float32', dims: ['N', 3, 9, 8] });
  const mean = held([1, 3, 1, 1]);
  const std = emit.constant(constantOf('float32', [3, 1, 1], [0.5, 0.25, 2]));
  const normal = emit.Div(emit.Sub('x', mean), std);
  const seen = emit.Relu(
    emit.Conv(normal, held([channels, 3, 3, 3]), held([channels]), { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }),
  );
  const most = maxima ? emit.call('MaxPool', [seen], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }) : seen;
  const pooled = emit.ReduceMean(emit.Mul(most, most), emit.ints([2, 3]), { keepdims: 0 });
  const scores = emit.rename(emit.MatMul(pooled, held([channels, 4])), 'y');
  return modelOf(
    { irVersion: 8, opsets: new Map([['', 18]]) },
    emit.graph(
      'picture',
      [{ name: 'x', type: { kind: 'tensor', dtype: 'float32', dims: ['N', 3, 9, 8] } }],
      [{ name: scores, type: { kind: 'tensor', dtype: 'float32', dims: ['N', 4] } }],
    ),
  );
};

const sizes = block > 0 ? [0, block] : [0];
for (const [size, maxima] of sizes.flatMap((n) => [[n, false] as const, [n, true] as const])) {
  test(`sums along paths, taken before the linear operators that end the gradient, are those of the points' own gradients${size ? ', in blocks' : ''}${maxima ? ', behind maxima' : ''}`, async () => {
    const model = picture(20, maxima);
    const graph = inputGradient(model, { types: new Map(), block: size }, { input: 'x', output: 'y' });
    // Three paths of four points; the same points as paths of one.
    const draw = random(4, 'points');
    const points = float32(
      [12, 3, 9, 8],
      Float32Array.from({ length: 12 * 216 }, () => draw.normal()),
    );
    const weights = [0.1, 0.2, 0.3, 0.4];
    const run = await open(write(graph.model));
    const along = await run({ x: points, [graph.inputs.target]: int64([3], [0, 1, 2]), [graph.inputs.weights]: float32([4], weights) });
    const alone = await run({
      x: points,
      [graph.inputs.target]: int64(
        [12],
        Array.from({ length: 12 }, (_, i) => Math.floor(i / 4)),
      ),
      [graph.inputs.weights]: float32([1], [1]),
    });
    const [sums, each] = [numbers(along[graph.outputs.gradient]), numbers(alone[graph.outputs.gradient])];
    assert.deepEqual(along[graph.outputs.gradient].dims, [3, 216]);
    for (const [i, v] of sums.entries()) {
      const due = weights.reduce((sum, w, s) => sum + w * each[(Math.floor(i / 216) * 4 + s) * 216 + (i % 216)], 0);
      // Sums of some hundred products of float32 in another order.
      assert.ok(Math.abs(v - due) <= 1e-5, `${i}: ${v} for ${due}`);
    }
    assert.deepEqual(numbers(along[graph.outputs.values]), numbers(alone[graph.outputs.values]));
    // The sum, a product of matrices, comes before the way back to the picture.
    const operators = graph.model.graph.nodes.map((n) => n.op);
    assert.ok(operators.lastIndexOf('MatMul') < operators.indexOf(size ? 'DepthToSpace' : 'ConvTranspose'));
  });

  test(`points of straight paths are made inside${size ? ', in blocks' : ''}${maxima ? ', behind maxima' : ''}`, async () => {
    const model = picture(20, maxima);
    const at = { input: 'x', output: 'y' };
    const [line, plain] = [true, false].map((straight) => inputGradient(model, { types: new Map(), block: size }, { ...at, straight }));
    const draw = random(5, 'ends');
    const ends = Float32Array.from({ length: 6 * 216 }, () => draw.normal());
    const nodes = [0, 0.25, 0.6, 1];
    const given = { [plain.inputs.target]: int64([3], [0, 1, 2]), [plain.inputs.weights]: float32([4], [0.1, 0.2, 0.3, 0.4]) };
    const mix = float32(
      [4, 2],
      nodes.flatMap((t) => [1 - t, t]),
    );
    const inside = await (await open(write(line.model)))({
      ...given,
      [line.inputs.points]: float32([6, 3, 9, 8], ends),
      [line.inputs.mix ?? '']: mix,
    });
    const outside = await (await open(write(plain.model)))({ ...given, x: float32([12, 3, 9, 8], pointsBetween(ends, nodes, 216)) });
    for (const [a, b] of [
      [inside[line.outputs.gradient], outside[plain.outputs.gradient]],
      [inside[line.outputs.values], outside[plain.outputs.values]],
    ]) {
      assert.deepEqual(a.dims, b.dims);
      // Points are float32 sums in another order.
      const [found, due] = [numbers(a), numbers(b)];
      const most = Math.max(...due.map(Math.abs));
      for (const [i, v] of due.entries()) assert.ok(Math.abs(found[i] - v) <= 2e-5 * most, `${i}: ${found[i]} for ${v}`);
    }
  });
}
