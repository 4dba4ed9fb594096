/** Tensors of biases behind scores, or why they cannot be told. */
export type FoundBiases =
  | { readonly stored: readonly { readonly name: string; readonly values: Float64Array }[] }
  | { readonly reason: string };

/** Biases that are added to scores, however these are laid out afterwards. */
export interface BiasTool {
  /** Those behind a tensor, '' for the diagnosed output. */
  read(tensor: string): Promise<FoundBiases>;
  /** Throws where a model cannot be written there; what it gives back writes the model with other values in these tensors. */
  open(
    path: string,
  ): Promise<(values: Readonly<Record<string, Float64Array>>, facts: Readonly<Record<string, string | number>>) => Promise<void>>;
}
