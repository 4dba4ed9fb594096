type Words = readonly (string | number)[];
/** `vscode.l10n.t`: English in, the language of the window out; `{0}` stands for the first of `words`. */
type Translate = (message: string, ...words: (string | number)[]) => string;

const english: Translate = (message, ...words) => message.replace(/\{(\d+)\}/g, (_, i: string) => String(words[Number(i)]));
let translate = english;

/** Set once, when the extension is activated; before, and outside of VS Code, texts stay English. */
export const speak = (own: Translate): void => {
  translate = own;
};

/** A text that people read, in their language. Commands and other files without the running editor use it too. */
export const t = (message: string, ...words: Words): string => translate(message, ...words);

/** A text of the catalogue (a title, a question, help of an option) in the language of the window. */
export const spoken = (text: string): string => translate(text);
