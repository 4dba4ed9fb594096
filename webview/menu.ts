import { type ButtonLook, button } from './controls.ts';
import { el, freshId } from './element.ts';
import type { Words } from './l10n.ts';

export interface MenuItem {
  readonly label: Words;
  /** What a screen reader says, where the label is short. */
  readonly title: Words;
  readonly press: () => unknown;
}

/** A button that opens a list of actions; arrow keys walk it, Escape closes it. */
export const menu = (label: Words, title: Words, items: readonly MenuItem[], look: ButtonLook['look'] = 'quiet'): HTMLElement => {
  const id = freshId('menu');
  const list = el('div', { class: 'menu', role: 'menu', id, 'aria-label': title, hidden: true });
  const opener = button(label, () => show(list.hidden !== false), { look, title });
  opener.append(el('i', { class: 'caret', 'aria-hidden': 'true' }));
  opener.setAttribute('aria-haspopup', 'menu');
  opener.setAttribute('aria-expanded', 'false');
  opener.setAttribute('aria-controls', id);
  const element = el('div', { class: 'menu-place' }, opener, list);
  const entries = items.map((item) =>
    el(
      'button',
      {
        type: 'button',
        role: 'menuitem',
        tabindex: -1,
        'aria-label': item.title,
        on: {
          click() {
            show(false);
            opener.focus();
            item.press();
          },
        },
      },
      item.label,
    ),
  );
  list.append(...entries);
  const outside = (event: Event): void => {
    if (!(event.target instanceof Node && element.contains(event.target))) show(false);
  };
  const show = (open: boolean): void => {
    list.hidden = !open;
    opener.setAttribute('aria-expanded', String(open));
    if (open) {
      document.addEventListener('pointerdown', outside);
      document.addEventListener('focusin', outside);
      entries[0]?.focus();
      list.scrollIntoView({ block: 'nearest' });
    } else {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('focusin', outside);
    }
  };
  element.addEventListener('keydown', (event) => {
    if (list.hidden) {
      if (event.key === 'ArrowDown') show(true);
      else return;
    } else {
      const at = entries.indexOf(event.target as HTMLButtonElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: entries.length - 1 }[event.key];
      if (event.key === 'Escape') {
        show(false);
        opener.focus();
      } else if (to !== undefined) entries[(to + entries.length) % entries.length]?.focus();
      else return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  return element;
};
