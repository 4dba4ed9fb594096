import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasRule, noGradientReason, rules } from '../../src/autodiff/rules/index.ts';
import { constant } from '../../src/autodiff/rules/no-gradient.ts';
import { withoutRule } from '../../src/autodiff/rules/without-rule.ts';
import { nodesWithin, subgraphs } from '../../src/graph/walk.ts';
import { quantised } from '../autodiff/cases/contrib-quantised.ts';
import { families } from '../autodiff/cases/index.ts';
import { record } from '../autodiff/check.ts';

const recorded = new Map<string, Set<string>>();
for (const one of [...Object.values(families).flat(), ...quantised.map((q) => q.quantised)]) {
  for (const sizes of ['known', 'unknown'] as const) {
    const { emit } = await record(one, 'float32', sizes);
    // A value is differentiated as the node that it means, where that is not the one it was recorded by.
    const meant = emit.nodes.flatMap((n) => n.outputs.flatMap((o) => emit.meaning(o) ?? []));
    const inner = emit.nodes.flatMap((n) => subgraphs(n).flatMap((g) => [...nodesWithin(g)]));
    for (const { op, domain } of [...emit.nodes, ...inner, ...meant]) {
      const key = domain ? `${domain}.${op}` : op;
      recorded.set(key, (recorded.get(key) ?? new Set()).add(one.name));
    }
  }
}

// The law that makes derivatives of derivatives free.
test('rules emit only operators that have rules, or no gradient by nature', () => {
  for (const [key, by] of recorded) {
    const at = key.lastIndexOf('.');
    const [domain, op] = at < 0 ? ['', key] : [key.slice(0, at), key.slice(at + 1)];
    assert.ok(hasRule(op, domain) || noGradientReason(op, domain), `${key} has neither a rule nor a reason; recorded for ${[...by][0]}`);
  }
});

test('every rule has a case', () => {
  const without = Object.keys(rules).filter((key) => !recorded.has(key));
  assert.deepEqual(without, [], 'add a line to tests/autodiff/cases/<family>.ts for each');
});

test('no operator has both a rule and a reason to have none', () => {
  const reasons = [constant, withoutRule];
  assert.deepEqual(
    Object.keys(rules).filter((key) => reasons.some((table) => Object.hasOwn(table, key))),
    [],
  );
  assert.deepEqual(
    Object.keys(constant).filter((key) => Object.hasOwn(withoutRule, key)),
    [],
  );
});
