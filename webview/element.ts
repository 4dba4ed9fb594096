import type { Words } from './l10n.ts';

/** Nothing to translate. */
type Blank = '' | ' ';
type Child = Node | Words | Blank | false | null | undefined;
type Listeners = { readonly [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void };
export interface Attributes {
  readonly on?: Listeners;
  readonly title?: Words | Blank | undefined;
  readonly placeholder?: Words | undefined;
  readonly alt?: Words | undefined;
  readonly 'aria-label'?: Words | undefined;
  readonly 'aria-description'?: Words | undefined;
  readonly 'aria-roledescription'?: Words | undefined;
  readonly 'aria-valuetext'?: Words | undefined;
  readonly [name: string]: string | number | boolean | Listeners | undefined;
}

/** Gives an element attributes and listeners. */
export const dress = (element: Element, { on, ...attributes }: Attributes): void => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const [type, listener] of Object.entries(on ?? {})) element.addEventListener(type, listener as EventListener);
};
const fill = (element: Element, children: readonly Child[]): void => {
  element.append(...children.filter((child): child is Node | Words | Blank => child !== false && child !== null && child !== undefined));
};

/** Text only ever enters the page as text nodes and attributes: nothing of a report is parsed as markup. */
export const el = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] => {
  const element = document.createElement(tag);
  dress(element, attributes);
  fill(element, children);
  return element;
};

export const svg = <K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  dress(element, attributes);
  fill(element, children);
  return element;
};

/** The element says that, and nothing else. */
export const say = (element: Element, words: Words | Blank): void => {
  element.textContent = words;
};

/** The 2-D context; a page without one cannot draw anything. */
export const context2d = (canvas: HTMLCanvasElement): CanvasRenderingContext2D => {
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('This browser draws no canvas.');
  return context;
};

/** Words on a canvas, in the ink and font of the context. */
export const writeAt = (context: CanvasRenderingContext2D, words: Words | Blank, x: number, y: number): void =>
  context.fillText(words, x, y);

let serial = 0;
/** An id for aria references, unique in the page. */
export const freshId = (stem: string): string => `${stem}-${++serial}`;
