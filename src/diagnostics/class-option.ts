import { Fault } from '../base/fault.ts';
import { nearest } from '../base/nearest.ts';

/** Number of the class that an option names, by name or index, of `found`; −1 for none. */
export const classNamed = (name: string, classes: readonly string[], found: number): number => {
  if (name === '') return -1;
  const at = classes.indexOf(name);
  if (at >= 0) return at;
  if (/^\d+$/.test(name) && Number(name) < found) return Number(name);
  throw new Fault('diagnostic/target', { target: name, nearest: nearest(name, classes), classes });
};
