import { axes } from './axes.ts';
import { constant } from './constant.ts';
import { normalisation } from './normalisation.ts';
import { recurrent } from './recurrent.ts';
import { resampling } from './resampling.ts';
import type { Upgrades } from './rewriter.ts';
import { softmax } from './softmax.ts';

/**
 * Every operator whose form changed between operator sets 7 and 21 in more than its element types. Operators that are not
 * here mean the same in all of them.
 */
export const upgrades: Upgrades = { ...axes, ...constant, ...normalisation, ...recurrent, ...resampling, ...softmax };
