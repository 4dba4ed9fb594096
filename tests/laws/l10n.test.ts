import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { l10nTexts } from '../../src/manifest/l10n.ts';

const root = resolve(import.meta.dirname, '../..');
const sources = (room: string): readonly (readonly [path: string, source: string])[] =>
  readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [`${room}/${name}`, readFileSync(join(root, room, name), 'utf8')]);
const pages = sources('webview');
const where = (list: readonly (readonly [string, string])[], pattern: RegExp, but: readonly string[]): readonly string[] =>
  list.flatMap(([path, source]) => (but.includes(path) ? [] : (source.match(pattern) ?? []).map((found) => `${path}: ${found}`)));

test('every text that is translated is a literal, which the bundle can hold, and numbers its words from 0', () => {
  const texts = [...sources('src/vscode'), ...pages].flatMap(([path, source]) => l10nTexts(source).map((text) => ({ path, text })));
  assert.ok(texts.length > 600, `${texts.length} texts`);
  assert.deepEqual(
    texts.filter(({ text }) => text === undefined),
    [],
  );
  for (const { path, text = '' } of texts) {
    const places = [...new Set([...text.matchAll(/\{(\d+)\}/g)].map(([, place]) => Number(place)))].sort((a, b) => a - b);
    assert.deepEqual(
      places,
      places.map((_, i) => i),
      `${path}: ${text}`,
    );
  }
});

// Texts have the type Words, which only t and given make: el, say, dress, writeAt and the controls take nothing else. What follows keeps
// to those ways.
test('pages write texts through el, say, dress and writeAt alone', () => {
  const sinks =
    /\.(?:textContent|innerText|innerHTML|outerHTML|ariaLabel|ariaDescription|placeholder|alt)\s*=(?!=).*|\.title\s*=(?!=).*|setAttribute\('(?:aria-label|aria-description|aria-roledescription|aria-valuetext|title|placeholder|alt)'.*|\.(?:fillText|strokeText|createTextNode|insertAdjacent(?:Text|HTML)|setCustomValidity)\(.*/g;
  const found = where(pages, sinks, ['webview/element.ts']);
  // The title of the tab is the name of what it shows; a text area, the way to the clipboard, is never seen.
  assert.deepEqual(
    found.filter((line) => !/: \.title = (?:message\.title|facts\.name);$/.test(line)),
    [],
  );
});

test('no literal is put among the nodes of an element, nor called words', () => {
  assert.deepEqual(where(pages, /\.(?:append|prepend|replaceChildren|replaceWith|before|after)\(\s*['"`].*/g, []), []);
  assert.deepEqual(where(pages, /\bas Words\b.*|(?<!\w)<Words>.*/g, ['webview/l10n.ts']), []);
});

/** What stands between the parentheses of each call of a function. */
const argumentsOf = (source: string, name: string): readonly string[] =>
  [...source.matchAll(new RegExp(`(?<![\\w.])${name}\\(`, 'g'))].map(({ index, 0: call }) => {
    const from = index + call.length;
    let to = from;
    for (let depth = 1; depth > 0 && to < source.length; to++) depth += { '(': 1, ')': -1 }[source[to]] ?? 0;
    return source.slice(from, to - 1);
  });

// The type refuses given('Rows') and given(`${n} rows`); a choice between data and a literal is of type string and would pass.
test('what is given as it is holds no literal text, nor do the words of a text', () => {
  const calls = pages.flatMap(([path, source]) => [
    ...argumentsOf(source, 'given').map((text) => ({ path, text })),
    ...argumentsOf(source, 't').map((text) => ({ path, text: text.replace(/^\s*(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")/, '') })),
  ]);
  assert.ok(calls.length > 500, `${calls.length} calls`);
  /** Literals in keys, comparisons and arguments of calls are read by no one. */
  const code =
    /\.(?:split|join|replaceAll|replace|includes)\([^)]*\)|[!=]==\s*'[^']*'|, '(?:count|fraction|ms|bytes|seconds|none)'\)|\['(?:sha256)'/g;
  const shown = /'[^']*\p{L}[^']*'|"[^"]*\p{L}[^"]*"/u;
  assert.deepEqual(
    calls.filter(({ text }) => shown.test(text.replace(code, ''))),
    [],
  );
});

/** Ways of the extension host to say or ask something. */
const asks =
  'pick confirm open save text say working inNotification saveFile openFile finding showInformationMessage showWarningMessage showErrorMessage setStatusBarMessage'.split(
    ' ',
  );

test('what the extension host says and asks is translated', () => {
  const calls = sources('src/vscode').flatMap(([path, source]) =>
    asks.flatMap((name) => argumentsOf(source, `(?:(?:host|window)\\.)?${name}`).map((text) => ({ path, text }))),
  );
  assert.ok(calls.length > 100, `${calls.length} calls`);
  const translated = /(?<![\w.])t\(\s*(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")/g;
  const literals = /'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`/g;
  /** Two words, or one with a capital: names of icons, values and codes have neither. */
  const isText = (literal: string): boolean => /^[A-Z][a-z]|[a-z] [a-z]/.test(literal.replace(/\$\{[^}]*\}/g, ' '));
  assert.deepEqual(
    calls.filter(({ text }) =>
      [...text.replace(translated, 't(').matchAll(literals)].some(([, ...parts]) => isText(parts.find((part) => part !== undefined) ?? '')),
    ),
    [],
  );
});
