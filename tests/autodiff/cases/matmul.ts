import { float } from '../../../src/graph/emit.ts';
import { type Case, c, f, none } from './case.ts';

export const matmul: readonly Case[] = [
  c('MatMul', [f([2, 3]), f([3, 4])]),
  c('MatMul', [f([2, 2, 3]), f([3, 4])]),
  c('MatMul', [f([2, 1, 2, 3]), f([3, 3, 2])]),
  c('MatMul', [f([2, 3]), f([2, 3, 2])]),
  c('MatMul', [f([3]), f([3, 2])]),
  c('MatMul', [f([2, 3]), f([3])]),
  c('MatMul', [f([3]), f([3])]),
  c('MatMul', [f([3]), f([2, 3, 2])]),
  c('MatMul', [f([2, 2, 3]), f([3])]),
  c('MatMul', [f([2, 2, 3]), f([2, 3, 1])]),
  c('Gemm', [f([2, 3]), f([3, 4]), f([4])]),
  c('Gemm', [f([3, 2]), f([4, 3]), f([2, 1])], { transA: 1, transB: 1, alpha: float(0.7), beta: float(1.3) }),
  c('Gemm', [f([3, 2]), f([3, 4])], { transA: 1, alpha: float(2) }),
  c('Gemm', [f([2, 3]), f([4, 3]), f([])], { transB: 1, beta: float(0.5) }),
  c('Gemm', [f([2, 3]), f([4, 3]), none], { transB: 1 }),
  c('Det', [f([3, 3])]),
  c('Det', [f([2, 2, 2])]),
];
