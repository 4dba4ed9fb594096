import { reachable, stoppedAt } from '../autodiff/reverse.ts';
import { emitForward } from './forward.ts';
import { emitObjective } from './objective.ts';
import { matches, type Parameter } from './parameters.ts';
import { type Group, hyperOf, inPrecision, type Plan, stepEmitter, targetType } from './plan.ts';
import type { Recipe } from './recipe.ts';
import { measuredHyper, outputsOf, viewOf } from './step-inputs.ts';

/** Parameters that the gradient of the loss reaches, the others, and the nodes at which theirs stops. */
export const receiving = (
  plan: Omit<Plan, 'groups'>,
  parameters: readonly Parameter[],
): { readonly reached: readonly Parameter[]; readonly lost: readonly string[]; readonly stops: readonly string[] } => {
  const graph = inPrecision(plan.graph, plan.precision);
  const emit = stepEmitter(graph, new Set(), plan.precision);
  emitForward(emit, graph, outputsOf(plan), new Set(), new Map());
  const target = emit.typed(emit.fresh('target'), targetType(graph, plan));
  const { names } = measuredHyper(emit, plan);
  const { mean } = emitObjective(emit, plan.loss, names, plan.output, target, plan.classes, undefined, viewOf(plan, 'loss'));
  const { head } = plan;
  const input = { ...viewOf(plan, 'head'), logits: plan.output, target, classes: plan.classes };
  const term = head?.part.term?.(emit, input, hyperOf(emit, head, 'head', plan.precision).names, head.chosen);
  const total = term === undefined ? mean : emit.Add(mean, emit.ReduceMean(term, { keepdims: 0 }));
  const values = reachable(emit, total);
  const reached = parameters.filter((p) => values.has(p.name));
  const lost = parameters.flatMap((p) => (values.has(p.name) ? [] : [p.name]));
  return { reached, lost, stops: lost.length > 0 ? stoppedAt(emit, total, lost) : [] };
};

/** Parameters by the rate and decay that a recipe gives them: the first rule that matches, and no decay for excluded kinds. */
export const groupsOf = (
  { groups: rules, decayExclude }: Pick<Recipe, 'groups' | 'decayExclude'>,
  parameters: readonly Parameter[],
): readonly Group[] => {
  const groups = new Map<string, { parameters: Parameter[]; lrScale: number; weightDecay?: number }>();
  for (const parameter of parameters) {
    const rule = rules.find((r) => matches(r.match, parameter.name));
    const { role } = parameter;
    const spared =
      (role === 'bias' && decayExclude.includes('bias')) || ((role === 'scale' || role === 'shift') && decayExclude.includes('norm'));
    const weightDecay = spared ? 0 : rule?.weightDecay;
    const key = `${rule?.lrScale ?? 1}/${weightDecay}`;
    const group = groups.get(key) ?? { parameters: [], lrScale: rule?.lrScale ?? 1, ...(weightDecay === undefined ? {} : { weightDecay }) };
    group.parameters.push(parameter);
    groups.set(key, group);
  }
  return [...groups.values()];
};
