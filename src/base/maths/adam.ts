/** Moments of Adam (Kingma, Ba 2015), for parameters that are fitted on the host. */
export interface Adam {
  /** θ −= rate·m̂/(√v̂ + ε), in place. */
  step(theta: Float64Array, gradient: Float64Array, rate: number): void;
}

export const adam = (size: number): Adam => {
  const [beta1, beta2, eps] = [0.9, 0.999, 1e-8];
  const [mean, square] = [new Float64Array(size), new Float64Array(size)];
  let [one, two] = [1, 1];
  return {
    step(theta, gradient, rate) {
      one *= beta1;
      two *= beta2;
      for (let k = 0; k < size; k++) {
        const g = gradient[k];
        mean[k] = beta1 * mean[k] + (1 - beta1) * g;
        square[k] = beta2 * square[k] + (1 - beta2) * g * g;
        theta[k] -= (rate / (1 - one)) * (mean[k] / (Math.sqrt(square[k]) / Math.sqrt(1 - two) + eps));
      }
    },
  };
};
