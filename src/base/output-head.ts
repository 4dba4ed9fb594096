/** How far a cost may lie above the least one, relative to it, and still count as a tie: rounding of sums in another order. */
export const TIE = 1e-12;

/**
 * What is put behind the output of a model, as plain data.
 * - `costs`: the label of least expected cost. `costs` is [classes, labels], what it costs to answer a label where a class is true; of
 *   labels that tie, the one most probable itself, else the first. `own` is each class's place among the labels, `temperature` divides the logits.
 * - `linear`: rows (made unit vectors where `normalise`) times `weights`, [outputs, inputs].
 */
export type OutputHead =
  | {
      readonly kind: 'costs';
      readonly classes: number;
      readonly labels: number;
      readonly costs: Float64Array;
      readonly own: Int32Array;
      readonly temperature: number;
    }
  | {
      readonly kind: 'linear';
      readonly inputs: number;
      readonly outputs: number;
      readonly weights: Float64Array;
      readonly normalise: boolean;
    };
