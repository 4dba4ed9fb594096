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
import { el, freshId } from './element.ts';

/** The one file that knows the toolkit: its successor replaces it here. */
export const registerControls = (): void => {
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeCheckbox(), vsCodeDropdown(), vsCodeOption(), vsCodeProgressRing());
};

const make = <T extends HTMLElement>(tag: string): T => document.createElement(tag) as T;

export interface ButtonLook {
  /** `quiet` has no box: for toolbars. */
  readonly look?: 'primary' | 'secondary' | 'quiet';
  /** What a screen reader and the tool tip say, where the label is short. */
  readonly title?: string;
}
const APPEARANCE = { primary: 'primary', secondary: 'secondary', quiet: 'icon' } as const;

/** What is seen is part of what is said, so that who speaks to the page can say what they see. */
const nameOf = (label: string, title: string = label): string => {
  const word = label.replace('…', '');
  return title.toLowerCase().includes(word.toLowerCase()) ? title : `${word}: ${title}`;
};

/** Where pressing gives a word back (`Copied`), the button shows it for a moment. */
export const button = (label: string, press: () => unknown, dress: ButtonLook = {}): HTMLElement => {
  const { look = 'secondary', title } = dress;
  const control = make<Button>('vscode-button');
  control.setAttribute('appearance', APPEARANCE[look]);
  control.setAttribute('aria-label', nameOf(label, title));
  if (title !== undefined) control.title = title;
  control.textContent = label;
  control.addEventListener('click', async () => {
    const done = await press();
    if (typeof done !== 'string') return;
    control.textContent = done;
    setTimeout(() => {
      control.textContent = label;
    }, 1500);
  });
  return control;
};

/** A button that stays pressed. */
export const toggle = (label: string, pressed: boolean, change: (pressed: boolean) => void, title: string = label): HTMLElement => {
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
  readonly label: string;
  /** The heading over it and those that follow. */
  readonly group?: string;
}

export const dropdown = (label: string, choices: readonly Choice[], value: string, change: (value: string) => void): HTMLElement => {
  const control = make<Dropdown>('vscode-dropdown');
  const id = freshId('dropdown');
  control.id = id;
  control.setAttribute('aria-label', label);
  let group: string | undefined;
  for (const choice of choices) {
    if (choice.group !== undefined && choice.group !== group) {
      const heading = make<HTMLElement>('vscode-option');
      heading.className = 'heading';
      heading.setAttribute('disabled', '');
      heading.textContent = choice.group;
      control.append(heading);
    }
    group = choice.group;
    const option = make<HTMLElement>('vscode-option');
    option.setAttribute('value', choice.value);
    option.textContent = choice.label;
    if (choice.value === value) option.setAttribute('selected', '');
    control.append(option);
  }
  control.addEventListener('change', () => change(control.value));
  return el('div', { class: 'field' }, el('label', { for: id, class: 'field-label' }, label), control);
};

export const checkbox = (label: string, checked: boolean, change: (checked: boolean) => void): HTMLElement => {
  const control = make<Checkbox>('vscode-checkbox');
  control.textContent = label;
  control.setAttribute('aria-label', label);
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
  label: string,
  percent: number,
  change: (percent: number) => void,
  range: SliderRange = { min: 0, max: 100, step: 5 },
): HTMLElement => {
  const id = freshId('slider');
  const shown = el('output', { class: 'slider-value', for: id }, `${percent} %`);
  const input = el('input', { type: 'range', id, ...range, value: percent });
  input.addEventListener('input', () => {
    shown.textContent = `${input.value} %`;
    change(input.valueAsNumber);
  });
  return el('div', { class: 'field' }, el('label', { for: id, class: 'field-label' }, label), input, shown);
};

/** A number, told when it was entered and is within its bounds. */
export const numberField = (label: string, value: number, range: SliderRange, change: (value: number) => void): HTMLElement => {
  const id = freshId('number');
  const input = el('input', { type: 'number', id, class: 'number', ...range, value });
  input.addEventListener('change', () => {
    if (input.reportValidity() && Number.isFinite(input.valueAsNumber)) change(input.valueAsNumber);
  });
  return el('div', { class: 'field' }, el('label', { for: id, class: 'field-label' }, label), input);
};

export const ring = (label: string): HTMLElement => {
  const control = make<HTMLElement>('vscode-progress-ring');
  control.setAttribute('aria-label', label);
  return control;
};
