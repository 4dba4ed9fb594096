import {
  type Button,
  type Checkbox,
  type Dropdown,
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
} from '@vscode/webview-ui-toolkit';
import { dress, el, freshId, say } from './element.ts';
import { given, type Words } from './l10n.ts';

/** The one file that knows the toolkit: its successor replaces it here. */
export const registerControls = (): void => {
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeCheckbox(), vsCodeDropdown(), vsCodeOption(), vsCodeProgressRing());
};

const make = <T extends HTMLElement>(tag: string): T => document.createElement(tag) as T;

export interface ButtonLook {
  /** `quiet` has no box: for toolbars. */
  readonly look?: 'primary' | 'secondary' | 'quiet';
  /** What a screen reader and the tool tip say, where the label is short. */
  readonly title?: Words;
}
const APPEARANCE = { primary: 'primary', secondary: 'secondary', quiet: 'icon' } as const;

/** What is seen is part of what is said, so that who speaks to the page can say what they see. */
const nameOf = (label: Words, title: Words = label): Words => {
  const word = label.replace('…', '');
  return title.toLowerCase().includes(word.toLowerCase()) ? title : given(`${word}: ${title}`);
};

/** Where pressing gives a word back (`Copied`), the button shows it for a moment. */
export const button = (label: Words, press: () => unknown, style: ButtonLook = {}): HTMLElement => {
  const { look = 'secondary', title } = style;
  const control = make<Button>('vscode-button');
  control.setAttribute('appearance', APPEARANCE[look]);
  dress(control, { 'aria-label': nameOf(label, title), title });
  say(control, label);
  control.addEventListener('click', async () => {
    const done = await press();
    if (typeof done !== 'string') return;
    say(control, given(done));
    setTimeout(() => {
      say(control, label);
    }, 1500);
  });
  return control;
};

/** A button that stays pressed. */
export const toggle = (label: Words, pressed: boolean, change: (pressed: boolean) => void, title: Words = label): HTMLElement => {
  const control = button(label, () => set(control.getAttribute('aria-pressed') !== 'true'), { look: 'quiet', title });
  const set = (on: boolean): void => {
    control.setAttribute('aria-pressed', String(on));
    change(on);
  };
  control.setAttribute('aria-pressed', String(pressed));
  return control;
};

export interface Choice {
  readonly value: string;
  readonly label: Words;
  /** The heading over it and those that follow. */
  readonly group?: Words;
}

export const dropdown = (label: Words, choices: readonly Choice[], value: string, change: (value: string) => void): HTMLElement => {
  const control = make<Dropdown>('vscode-dropdown');
  const id = freshId('dropdown');
  control.id = id;
  dress(control, { 'aria-label': label });
  let group: Words | undefined;
  for (const choice of choices) {
    if (choice.group !== undefined && choice.group !== group) {
      const heading = make<HTMLElement>('vscode-option');
      heading.className = 'heading';
      heading.setAttribute('disabled', '');
      say(heading, choice.group);
      control.append(heading);
    }
    group = choice.group;
    const option = make<HTMLElement>('vscode-option');
    option.setAttribute('value', choice.value);
    say(option, choice.label);
    if (choice.value === value) option.setAttribute('selected', '');
    control.append(option);
  }
  control.addEventListener('change', () => change(control.value));
  return el('div', { class: 'field' }, el('label', { for: id, class: 'field-label' }, label), control);
};

export const checkbox = (label: Words, checked: boolean, change: (checked: boolean) => void): HTMLElement => {
  const control = make<Checkbox>('vscode-checkbox');
  say(control, label);
  dress(control, { 'aria-label': label });
  if (checked) control.setAttribute('checked', '');
  control.addEventListener('change', () => change(control.checked));
  return control;
};

export interface SliderRange {
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** A share in percent. The toolkit has no slider; this is the browser's. */
export const slider = (
  label: Words,
  percent: number,
  change: (percent: number) => void,
  range: SliderRange = { min: 0, max: 100, step: 5 },
  text: (value: number) => Words = (value) => given(`${value} %`),
): HTMLElement => {
  const id = freshId('slider');
  const shown = el('output', { class: 'slider-value', for: id }, text(percent));
  const input = el('input', { type: 'range', id, ...range, value: percent });
  input.addEventListener('input', () => {
    say(shown, text(input.valueAsNumber));
    change(input.valueAsNumber);
  });
  return el('div', { class: 'field' }, el('label', { for: id, class: 'field-label' }, label), input, shown);
};

/** A number, told when it was entered and is within its bounds. */
export const numberField = (label: Words, value: number, range: SliderRange, change: (value: number) => void): HTMLElement => {
  const id = freshId('number');
  const input = el('input', { type: 'number', id, class: 'number', ...range, value });
  input.addEventListener('change', () => {
    if (input.reportValidity() && Number.isFinite(input.valueAsNumber)) change(input.valueAsNumber);
  });
  return el('div', { class: 'field' }, el('label', { for: id, class: 'field-label' }, label), input);
};

export const ring = (label: Words): HTMLElement => {
  const control = make<HTMLElement>('vscode-progress-ring');
  // On the page the ring of the toolkit calls itself Loading.
  const named = new MutationObserver(() => {
    if (control.getAttribute('aria-label') !== label) dress(control, { 'aria-label': label });
  });
  named.observe(control, { attributeFilter: ['aria-label'] });
  dress(control, { 'aria-label': label });
  return control;
};
