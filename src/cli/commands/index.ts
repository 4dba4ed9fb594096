import type { CliCommand } from '../define.ts';
import { compare } from './compare.ts';
import { grad } from './grad.ts';
import { info } from './info.ts';
import { keepUnits } from './keep-units.ts';
import { list } from './list.ts';
import { run } from './run.ts';
import { serveMcp } from './serve-mcp.ts';
import { suite } from './suite.ts';
import { train } from './train.ts';
import { vectors } from './vectors.ts';

export const commands: readonly CliCommand[] = [list, info, run, train, keepUnits, suite, compare, grad, vectors, serveMcp];
