import { stopped } from '../autodiff/stopped.ts';
import type { Emit } from '../graph/emit.ts';
import type { Parted, RegularizerInput } from './define.ts';
import type { Layout } from './layout.ts';
import type { Objective } from './objective.ts';
import type { Plan } from './plan.ts';
import { viewOf } from './step-inputs.ts';

type Names = Readonly<Record<string, string>>;

/** Whether a line of the monitors is a term as a whole: not one of its parts, not the factor of a scaled loss. */
export const isTerm = (line: string): boolean => /^term\/[^/]+$/.test(line) && line !== 'term/loss-scale';

/** A step once its loss is recorded. */
export interface Seen {
  readonly emit: Emit;
  readonly plan: Plan;
  readonly objective: Objective;
  readonly labels: string;
  readonly fed: Names;
  readonly layout: Layout;
  /** Hyper-parameters of the part with this stem. */
  readonly hyperFor: (stem: string) => Names;
}

/** First values of what terms carry from step to step. */
export const startOfTerms = ({ lossScaling }: Pick<Plan, 'lossScaling'>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(lossScaling?.part.guide?.scalars ?? {}).map(([name, first]) => [`scaling/${name}`, first]));

export const regularizerInput = ({ plan, objective, labels, fed, layout }: Seen, stem: string): RegularizerInput => {
  const known = new Map(plan.groups.flatMap((g) => g.parameters.map((p) => [p.name, p] as const)));
  return {
    ...viewOf(plan, stem, fed),
    ...(fed.soft ? { soft: fed.soft } : {}),
    logits: plan.output,
    target: labels,
    classes: plan.classes,
    x: plan.input,
    mean: objective.mean,
    perExample: objective.perExample,
    parameters: layout.entries.map(({ name, dims }) => {
      const { role = 'other', channels = 0 } = known.get(name) ?? {};
      return { name, dims, role, channels, value: name };
    }),
    layer: plan.layer,
  };
};

/**
 * The loss and what is added to it: the terms of regularizers and of the head. `lines` are the terms by their ids, `next` what is
 * carried on. Without any, the loss itself.
 */
export const emitTerms = (
  seen: Seen,
  scalars: Names,
): { readonly total: string; readonly lines: Record<string, string>; readonly next: Record<string, string> } => {
  const { emit, plan, objective, hyperFor } = seen;
  const lines: Record<string, string> = {};
  const parts: Record<string, string> = {};
  const add = (id: string, given: string | Parted): void => {
    const term = typeof given === 'string' ? given : given.term;
    const value = (emit.type(term)?.dims?.length ?? 0) > 0 ? emit.ReduceMean(term, { keepdims: 0 }) : term;
    const line = id in lines ? `${id}-${Object.keys(lines).length + 1}` : id;
    lines[line] = value;
    if (typeof given !== 'string') for (const [name, part] of Object.entries(given.parts)) parts[`${line}/${name}`] = part;
  };
  for (const [i, { part, chosen }] of (plan.regularizers ?? []).entries()) {
    const stem = `regularizer${i}`;
    add(part.id, part.term(emit, regularizerInput(seen, stem), hyperFor(stem), chosen));
  }
  if (objective.term !== undefined) add(plan.loss.part.id, objective.term);
  const { head } = plan;
  if (head?.part.term) add(head.part.id, head.part.term(emit, regularizerInput(seen, 'head'), hyperFor('head'), head.chosen));
  const values = Object.values(lines);
  if (values.length === 0) return { total: objective.mean, lines, next: {} };
  const other = values.reduce((a, b) => emit.Add(a, b));
  const scaled = plan.lossScaling?.part.guide?.scale(emit, { loss: objective.mean, other }, scalars, plan.lossScaling.chosen);
  const loss = scaled ? emit.Mul(stopped(emit, scaled.factor), objective.mean) : objective.mean;
  if (scaled) lines['loss-scale'] = scaled.factor;
  return {
    total: emit.Add(loss, other),
    lines: Object.fromEntries(Object.entries({ ...lines, ...parts }).map(([id, value]) => [`term/${id}`, value])),
    next: Object.fromEntries(Object.entries(scaled?.scalars ?? {}).map(([name, value]) => [`scaling/${name}`, value])),
  };
};
