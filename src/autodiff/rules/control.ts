import type { Rules } from '../rule.ts';
import { cycles } from './control-cycle.ts';
import { branching } from './control-if.ts';

/** Operators that hold graphs: their derivatives are such operators again, of the derivatives of their bodies. */
export const control: Rules = {
  If: branching,
  Loop: cycles,
  Scan: cycles,
};
