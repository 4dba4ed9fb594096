import type { Graph } from './types.ts';
import { producers } from './walk.ts';

/** Node that gives the lengths of class capsules in the networks that Assay builds, from 0 to 1 and each by itself. */
export const lengthsNode = 'routing.lengths';

/** Whether an output is lengths of class capsules: divided by their sum they are what the network says of the classes (card 35). */
export const givesLengths = (graph: Graph, output: string): boolean => producers(graph).get(output)?.name === lengthsNode;
