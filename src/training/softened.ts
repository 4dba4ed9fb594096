/** softmax(z/T) of every row, by log-sum-exp. */
export const softened = (logits: Float64Array, classes: number, temperature: number): Float64Array => {
  const shares = new Float64Array(logits.length);
  for (let from = 0; from < logits.length; from += classes) {
    const row = logits.subarray(from, from + classes);
    const most = row.reduce((a, b) => Math.max(a, b));
    const total = row.reduce((sum, z) => sum + Math.exp((z - most) / temperature), 0);
    for (let c = 0; c < classes; c++) shares[from + c] = Math.exp((row[c] - most) / temperature) / total;
  }
  return shares;
};
