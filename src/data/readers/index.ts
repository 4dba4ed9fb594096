import type { Reader } from '../define.ts';
import { csv } from './csv.ts';
import { idx } from './idx.ts';
import { jsonl } from './jsonl.ts';
import { npy } from './npy.ts';
import { npz } from './npz.ts';
import { parquet } from './parquet.ts';

/** Every file format, in the order in which they are asked whether they know a file. */
export const readers: readonly Reader[] = [npz, npy, parquet, idx, csv, jsonl];
