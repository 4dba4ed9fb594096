import { Fault } from '../../base/fault.ts';
import { matches } from '../parameters.ts';
import type { Plan } from '../plan.ts';

/** `PATTERN:EPOCHS:RATE` separated by commas. */
export const stagesOf = (text: string): readonly { readonly match: string; readonly epochs: number; readonly rate: number }[] =>
  text.split(',').map((stage) => {
    const [match, epochs, rate] = [stage.trim().split(':')].flatMap((p) => [p.slice(0, -2).join(':'), Number(p.at(-2)), Number(p.at(-1))]);
    if (!match || !Number.isInteger(epochs) || Number(epochs) < 1 || !(Number(rate) >= 0))
      throw new Fault('option/value', { name: 'plan', value: text, expected: 'stages PATTERN:EPOCHS:RATE separated by commas' });
    return { match: String(match), epochs: Number(epochs), rate: Number(rate) };
  });

/** The plan with those parameters alone trained that match. */
export const stagePlan = (plan: Plan, match: string): Plan => {
  const groups = plan.groups
    .map((g) => ({ ...g, parameters: g.parameters.filter((p) => matches(match, p.name)) }))
    .filter((g) => g.parameters.length > 0);
  if (groups.length === 0)
    throw new Fault('option/value', { name: 'plan', value: match, expected: 'a pattern that matches at least one parameter' });
  return { ...plan, groups };
};
