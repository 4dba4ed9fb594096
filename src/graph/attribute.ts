import type { Attribute, Graph, Node } from './types.ts';

type Values = { readonly [A in Attribute as A['type']]: A['value'] };

/** Attributes of a node with the operator's default where absent. */
const value = <T extends Attribute['type']>(node: Node, name: string, type: T): Values[T] | undefined => {
  const a = node.attributes[name];
  return a?.type === type ? (a.value as Values[T]) : undefined;
};

export const intOf = (node: Node, name: string, fallback: number): number => value(node, name, 'int') ?? fallback;
export const floatOf = (node: Node, name: string, fallback: number): number => value(node, name, 'float') ?? fallback;
export const stringOf = (node: Node, name: string, fallback: string): string => value(node, name, 'string') ?? fallback;
export const intsOf = (node: Node, name: string): readonly number[] | undefined => value(node, name, 'ints');
export const floatsOf = (node: Node, name: string): readonly number[] | undefined => value(node, name, 'floats');
export const stringsOf = (node: Node, name: string): readonly string[] | undefined => value(node, name, 'strings');
export const graphOf = (node: Node, name: string): Graph | undefined => value(node, name, 'graph');
