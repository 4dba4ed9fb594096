import type { LastResults } from '../history.ts';
import { type Finding, finding } from './finding.ts';
import { contentOf, propertiesOf, propertyOf, suiteTree, textOf } from './suite-tree.ts';

/** A check that did not hold when it last ran, at the line of its gate. */
export interface CheckProblem extends Finding {
  readonly check: string;
  readonly run: string;
  readonly focus?: string;
}

/** What last runs said, as long as the gate is still the one that was judged. */
export const checkProblems = (text: string, last: LastResults['checks']): readonly CheckProblem[] =>
  suiteTree(text).checks.flatMap(({ keys }): readonly CheckProblem[] => {
    const name = textOf(keys, 'name');
    const result = name && last.get(name.text);
    if (!name || !result?.verdict) return [];
    const { status, sentence, gates } = result.verdict;
    const at = { check: name.text, run: result.run };
    if (status === 'error') {
      const where = textOf(keys, 'run')?.node ?? name.node;
      return [{ ...finding(where, 'check-error', sentence), ...at, ...(result.focus === undefined ? {} : { focus: result.focus }) }];
    }
    if (status !== 'failed') return [];
    const written = propertiesOf(propertyOf(keys, 'expect')?.value);
    return gates
      .filter(({ holds }) => !holds)
      .flatMap((gate): readonly CheckProblem[] => {
        const property = propertyOf(written, gate.name);
        if (!property || JSON.stringify(contentOf(property.value)) !== JSON.stringify(gate.expected)) return [];
        const found = finding(property.node, 'check-failed', `${name.text}: ${gate.sentence}`, [], 'warning');
        return [{ ...found, ...at, ...(gate.focus === undefined ? {} : { focus: gate.focus }) }];
      });
  });
