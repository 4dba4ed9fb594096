import { Fault } from '../../base/fault.ts';
import { argmax } from '../../base/maths/argmax.ts';
import type { Matrix, Subject } from '../../evidence/evidence.ts';
import { classNamed as classIndex } from '../class-option.ts';

/** Class number of a name or an index in text; '' is none. */
export const classNamed = (name: string, classes: readonly string[]): number | undefined => {
  if (name === '') return undefined;
  if (classes.length < 2 && name !== '0' && !classes.includes(name)) throw new Fault('diagnostic/no-class', { target: name });
  return classIndex(name, classes, classes.length);
};

/** Most probable class of each row: of one score per row, class 1 from logit 0 or probability ½ on. */
export const predictions = (outputs: Matrix, { classes, scores }: Pick<Subject, 'classes' | 'scores'>): Int32Array =>
  Int32Array.from({ length: outputs.rows }, (_, b) =>
    outputs.cols === 1 && classes.length === 2
      ? Number(outputs.data[b] > (scores === 'probabilities' ? 0.5 : 0))
      : argmax(outputs.data, b * outputs.cols, outputs.cols),
  );
