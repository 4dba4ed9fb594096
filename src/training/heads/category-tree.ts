import { Fault } from '../../base/fault.ts';

const refuse = (path: string, expected: string): never => {
  throw new Fault('option/value', { name: 'head.hierarchy', value: path, expected });
};

/** Share of a class with so many descendants that is taken from its children, where the largest has `most`. */
export const mixingShare = (descendants: number, most: number): number => 0.4 + (0.4 * Math.log(2 + descendants)) / Math.log(2 + most);

const parentsOf = (text: string, path: string, classes: number): Int32Array => {
  const parents = new Int32Array(classes).fill(-1);
  const unknown: string[] = [];
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  for (const [i, line] of lines.entries()) {
    const ids = line.split(',').map((id) => id.trim());
    if (ids.length !== 2) refuse(path, `a CSV file of lines child,parent; line ${i + 1} is '${line}'`);
    if (i === 0 && ids.every((id) => !/^\d+$/.test(id))) continue;
    const [child, parent] = ids.map((id) => (/^\d+$/.test(id) && Number(id) < classes ? Number(id) : -1));
    ids.forEach((id, k) => {
      if ((k === 0 ? child : parent) < 0) unknown.push(id);
    });
    if (child < 0 || parent < 0) continue;
    if (parents[child] >= 0 && parents[child] !== parent)
      refuse(path, `a tree; class ${child} has the parents ${parents[child]} and ${parent}`);
    parents[child] = parent;
  }
  if (unknown.length > 0) refuse(path, `numbers of classes from 0 to ${classes - 1}; it names ${unknown.slice(0, 10).join(', ')}`);
  return parents;
};

/**
 * Of lines `child,parent` of class numbers, with or without a header: queries [C, C] after every inner class has been mixed with the mean
 * of its children, deepest first. Above 0 from a class to itself and to every one below it.
 */
export const categoryTree = (text: string, path: string, classes: number): Float64Array => {
  const parents = parentsOf(text, path, classes);
  const depth = new Int32Array(classes);
  const descendants = new Int32Array(classes);
  for (let c = 0; c < classes; c++)
    for (let a = parents[c]; a >= 0; a = parents[a]) {
      if (a === c || depth[c] > classes) refuse(path, `a tree; class ${c} lies on a cycle`);
      depth[c]++;
      descendants[a]++;
    }
  const most = descendants.reduce((a, b) => Math.max(a, b), 0);
  const children = Array.from({ length: classes }, (_, n) => Array.from(parents.keys()).filter((c) => parents[c] === n));
  const mixing = Float64Array.from({ length: classes * classes }, (_, i) => Number(i % (classes + 1) === 0));
  for (const n of Array.from(parents.keys()).sort((a, b) => depth[b] - depth[a])) {
    const own = children[n];
    if (own.length === 0) continue;
    const share = mixingShare(descendants[n], most);
    for (let k = 0; k < classes; k++) {
      const mean = own.reduce((sum, c) => sum + mixing[c * classes + k], 0) / own.length;
      mixing[n * classes + k] = (1 - share) * mixing[n * classes + k] + share * mean;
    }
  }
  return mixing;
};
