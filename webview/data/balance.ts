import type { BalanceClass, DataBalance } from '../../src/report/data-view.ts';
import { filterName, filterText } from '../../src/report/row-filter.ts';
import { el } from '../element.ts';
import { format, given, t } from '../l10n.ts';

const literal = (value: BalanceClass['value']): string => (typeof value === 'number' ? String(value) : filterText(value));

const conditionOf = (column: string, value: BalanceClass['value'] | undefined): string =>
  value === undefined ? `${filterName(column)} is missing` : `${filterName(column)} = ${literal(value)}`;
const isIn = (filter: string, condition: string): boolean => filter === condition || filter.endsWith(` && ${condition}`);

/** A filter with the condition put in, or taken out where it is there. A filter that is one condition on the column is replaced. */
export const toggled = (filter: string, column: string, value: BalanceClass['value'] | undefined): string => {
  const own = conditionOf(column, value);
  const rest = filter.trim();
  if (isIn(rest, own))
    return rest
      .slice(0, -own.length)
      .replace(/ && $/, '')
      .replace(/^\((.*)\)$/, '$1');
  const name = filterName(column);
  const alone = rest === '' || rest === `${name} is missing` || (rest.startsWith(`${name} = `) && !/&&|\|\||\b(?:and|or)\b/.test(rest));
  if (alone) return own;
  return `${/\|\||\bor\b/i.test(rest) ? `(${rest})` : rest} && ${own}`;
};

/** Bars of the classes of a column, each a filter: full length for the largest class, filled as far as rows are kept. */
export const balanceStrip = (
  { column, classes, total, missing }: DataBalance,
  filter: string,
  change: (filter: string) => void,
): HTMLElement => {
  const most = Math.max(1, missing.all, ...classes.map((c) => c.all));
  const items: readonly (Pick<BalanceClass, 'name' | 'all' | 'kept'> & { readonly value?: BalanceClass['value'] })[] = [
    ...classes,
    ...(missing.all > 0 ? [{ name: t('missing'), ...missing }] : []),
  ];
  const buttons = items.map(({ name, value, all, kept }, i) => {
    const [track, full, part] = [
      el('span', { class: 'balance-track' }),
      el('span', { class: 'balance-all' }),
      el('span', { class: 'balance-kept' }),
    ];
    full.style.height = `${(100 * all) / most}%`;
    part.style.height = `${(100 * kept) / most}%`;
    track.append(full, part);
    const [some, whole] = [format(kept, 'count'), format(all, 'count')];
    return el(
      'button',
      {
        class: 'balance-class',
        type: 'button',
        title:
          kept === all
            ? all === 1
              ? t('{0}: 1 row', name)
              : t('{0}: {1} rows', name, whole)
            : t('{0}: {1} of {2} rows', name, some, whole),
        'aria-pressed': String(isIn(filter.trim(), conditionOf(column, value))),
        tabindex: i === 0 ? 0 : -1,
        on: { click: () => change(toggled(filter, column, value)) },
      },
      track,
      el('span', { class: 'balance-count' }, some),
      ' ',
      el('span', { class: 'balance-name' }, given(name)),
    );
  });
  const strip = el('div', { class: 'balance', role: 'toolbar', 'aria-label': t('Class balance of {0}', column) }, ...buttons);
  strip.addEventListener('keydown', (event) => {
    const at = buttons.findIndex((button) => button.matches(':focus'));
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (at < 0 || to === undefined || !buttons[to]) return;
    event.preventDefault();
    buttons[at].tabIndex = -1;
    buttons[to].tabIndex = 0;
    buttons[to].focus();
  });
  return el(
    'div',
    { class: 'balance-frame' },
    strip,
    total > classes.length &&
      el(
        'p',
        { class: 'muted small' },
        t('The first {0} of {1} classes of {2}.', format(classes.length, 'count'), format(total, 'count'), column),
      ),
  );
};
