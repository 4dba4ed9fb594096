import { gaussLegendre } from '../../base/maths/gauss-legendre.ts';

/** Points and weights on [0, 1]. Trapezoid takes n intervals, hence n + 1 points, the ends at half weight. */
export interface Rule {
  readonly nodes: readonly number[];
  readonly weights: readonly number[];
}

const even = (n: number, node: (i: number) => number): Rule => ({
  nodes: Array.from({ length: n }, (_, i) => node(i)),
  weights: new Array<number>(n).fill(1 / n),
});

export type RuleName = 'gausslegendre' | 'riemann_middle' | 'riemann_left' | 'riemann_right' | 'trapezoid';

export const rules: Readonly<Record<RuleName, (n: number) => Rule>> = {
  gausslegendre: gaussLegendre,
  riemann_middle: (n) => even(n, (i) => (i + 0.5) / n),
  riemann_left: (n) => even(n, (i) => i / n),
  riemann_right: (n) => even(n, (i) => (i + 1) / n),
  trapezoid: (n) => ({
    nodes: Array.from({ length: n + 1 }, (_, i) => i / n),
    weights: Array.from({ length: n + 1 }, (_, i) => (i === 0 || i === n ? 0.5 : 1) / n),
  }),
};
