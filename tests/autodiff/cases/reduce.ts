import { type Case, c, f, fed, ints } from './case.ts';

const kinds = ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'SumSquare', 'LogSum', 'LogSumExp'];

export const reduce: readonly Case[] = [
  ...kinds.flatMap((k) => {
    const x = () => f([2, 3, 2], 0.4, 2);
    return [
      c(`Reduce${k}`, [x()]),
      c(`Reduce${k}`, [x()], { keepdims: 0 }),
      c(`Reduce${k}`, [x(), ints([1])]),
      c(`Reduce${k}`, [x(), ints([0, -1])], { keepdims: 0 }),
      c(`Reduce${k}`, [x(), fed([-2])], {}, { is: 'axes at run time' }),
      c(`Reduce${k}`, [x(), ints([])], { noop_with_empty_axes: 1 }),
    ];
  }),
  c('ReduceSum', [f([])]),
  c('ReduceSum', [f([3, 2]), fed([1])], { keepdims: 0 }, { is: 'axes at run time' }),
  c('ReduceMean', [f([3, 2]), fed([0])], { keepdims: 0 }, { is: 'axes at run time' }),
  c('ReduceMax', [f([2, 4]), ints([1])], {}, { is: 'negative values' }),
  c('CumSum', [f([2, 4]), ints([1], [])]),
  c('CumSum', [f([3, 2]), ints([0], [])], { exclusive: 1 }),
  c('CumSum', [f([2, 4]), ints([-1], [])], { reverse: 1 }),
  c('CumSum', [f([2, 4]), ints([1], [])], { reverse: 1, exclusive: 1 }),
  c('CumProd', [f([2, 4]), ints([1], [])], {}, { opset: 26 }),
  c('CumProd', [f([3, 2]), ints([0], [])], { exclusive: 1 }, { opset: 26 }),
  c('CumProd', [f([2, 3]), ints([-1], [])], { reverse: 1 }, { opset: 26 }),
  c('CumProd', [f([2, 3]), ints([1], [])], { reverse: 1, exclusive: 1 }, { opset: 26 }),
  c('Softmax', [f([3, 4])]),
  c('Softmax', [f([2, 3, 2])], { axis: 1 }),
  c('Softmax', [f([3])], { axis: 0 }),
  c('LogSoftmax', [f([3, 4])]),
  c('LogSoftmax', [f([2, 3, 2])], { axis: -2 }),
];
