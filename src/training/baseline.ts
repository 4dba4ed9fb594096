import { Fault } from '../base/fault.ts';
import type { Options } from '../base/option.ts';
import type { Baseline } from './define.ts';
import { recipeKeys } from './recipe-keys.ts';
import type { Shape } from './recipe-shape.ts';

type Json = Readonly<Record<string, unknown>>;
interface Compared {
  readonly id: string;
  readonly options: Options;
  readonly baseline?: Baseline;
}
type Parts = Extract<Shape, { kind: 'part' }>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What stands in the place of a part: undefined where it has no baseline, null where the key goes. */
const inPlaceOf = (given: unknown, { of, more = {} }: Parts): unknown => {
  const written: Json = isObject(given) ? given : { kind: given };
  const parts: readonly Compared[] = of;
  const baseline = parts.find((p) => p.id === written.kind)?.baseline;
  if (baseline === undefined || baseline === null) return baseline;
  const next = typeof baseline === 'string' ? { kind: baseline } : baseline;
  // What both have, such as a rate, stays as written.
  const options = parts.find((p) => p.id === next.kind)?.options ?? {};
  const same = Object.entries(written).filter(([key]) => key in options || key in more);
  return { ...next, ...Object.fromEntries(same) };
};

const kindOf = (given: unknown): string => String(isObject(given) ? given.kind : given);

/** A recipe as read from JSON with every part that names a natural baseline replaced by it, and what changed, in words. */
export const baselineOf = (raw: Json, path: string): { readonly recipe: Json; readonly changed: readonly string[] } => {
  const changed: string[] = [];
  const replace = (where: string, given: unknown, shape: Parts): unknown => {
    const next = inPlaceOf(given, shape);
    if (next === undefined) return given;
    changed.push(next === null ? `without ${where} '${kindOf(given)}'` : `${where} '${kindOf(next)}' for '${kindOf(given)}'`);
    return next;
  };
  const within = (where: string, given: unknown, shape: Shape): unknown => {
    if (given === undefined) return undefined;
    switch (shape.kind) {
      case 'option':
        return given;
      case 'part':
        return replace(where, given, shape);
      case 'list':
        return Array.isArray(given) ? given.map((entry) => within(where, entry, shape.of)).filter((entry) => entry !== null) : given;
      case 'either': {
        const form = isObject(given) ? shape.of.find((s) => s.kind === 'object') : undefined;
        return form ? within(where, given, form) : given;
      }
      case 'object': {
        if (!isObject(given)) return given;
        const under = (key: string): string => (where ? `${where}.${key}` : key);
        const entries = Object.entries(given).map(([key, value]) => [
          key,
          shape.keys[key] ? within(under(key), value, shape.keys[key]) : value,
        ]);
        return Object.fromEntries(entries.filter(([, value]) => value !== null));
      }
    }
  };
  const recipe = within('', raw, recipeKeys) as Json;
  if (changed.length === 0) throw new Fault('training/no-baseline', { path });
  return { recipe, changed };
};
