import type { Tensor } from '../base/tensor.ts';

/** Share of the time of steps that measuring them may take. */
const share = 0.002;

export interface Move {
  readonly updateRatio: number;
  readonly effectiveStep: number;
}

/**
 * ‖Δ‖/(k‖θ‖) and ‖Δ⊥‖/(k‖θ‖) of k steps from θ to θ + Δ, with Δ⊥ = Δ − (⟨Δ, θ⟩/‖θ‖²) θ: for k = 1 the update-to-weight ratio
 * and the effective step size; for more of them their net move by the step, no longer than their mean.
 */
export const moveOf = (before: ArrayLike<number>, after: ArrayLike<number>, steps: number): Move => {
  let [dd, dt, tt] = [0, 0, 0];
  for (let i = 0; i < before.length; i++) {
    const d = after[i] - before[i];
    dd += d * d;
    dt += d * before[i];
    tt += before[i] * before[i];
  }
  const across = Math.max(0, dd - (dt * dt) / tt);
  return { updateRatio: Math.sqrt(dd / tt) / steps, effectiveStep: Math.sqrt(across / tt) / steps };
};

/** Moves of the parameters, measured between calls as often as costs next to nothing: the compiled step stays as it is. */
export const moves = (): { tell(before: Tensor, after: Tensor, steps: number, seconds: number): void; last(): Move } => {
  let spent = 0;
  let last: Move = { updateRatio: Number.NaN, effectiveStep: Number.NaN };
  return {
    tell(before, after, steps, seconds) {
      if (spent > share * seconds) return;
      const from = performance.now();
      last = moveOf(before.data as Float32Array, after.data as Float32Array, steps);
      spent += (performance.now() - from) / 1000;
    },
    last: () => last,
  };
};
