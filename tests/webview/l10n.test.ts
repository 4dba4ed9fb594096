import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { l10nBundle } from '../../src/manifest/l10n.ts';
import { toMarkdown } from '../../src/report/markdown.ts';
import { readingOf } from '../../src/report/reading.ts';
import type { Report } from '../../src/report/report.ts';
import { subjectOf } from '../../src/report/subject.ts';
import { twinsOf } from '../../src/report/twin.ts';
import { given, t } from '../../webview/l10n.ts';
import { close, launch, openPanel, post, screenshot, skip } from './browser.ts';
import { pages } from './pages.ts';
import { studyPages } from './study-pages.ts';

before(launch);
after(close);

test('words are put into their places; what is given holds no text of ours', () => {
  assert.equal(t('{0} of {1} rows', '3', 10), '3 of 10 rows');
  assert.equal(t('No row fits the filter.'), 'No row fits the filter.');
  const [name, n] = ['cat' as string, 2 as number];
  assert.equal(given(`${name} · ${n} %`), 'cat · 2 %');
  assert.equal(given('–'), '–');
  // @ts-expect-error a literal is no text that was given
  given('Rows');
  // @ts-expect-error nor is one with words between
  given(`${n} of ${name}`);
});

const webview = join(import.meta.dirname, '../../webview');
const english = Object.keys(
  l10nBundle(
    readdirSync(webview, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(join(webview, file), 'utf8')),
  ),
);
/** A language in which every text stands between brackets. */
const bracketed = Object.fromEntries(english.map((text) => [text, `⟦${text}⟧`]));

/** Keeps what is written on canvases. */
const CANVAS = `
  window.written = [];
  for (const name of ['fillText', 'strokeText']) {
    const own = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (text, ...rest) { window.written.push(String(text)); return own.call(this, text, ...rest); };
  }`;

/** All that can be read, heard or pointed at on a page. */
const texts = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() => {
    const found = [...(window as unknown as { written: readonly string[] }).written];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) {
      const holder = node.parentElement;
      // Code that is shown, as names of a model and examples of filters are, is the same in every language.
      if (holder?.matches('script, style, code')) continue;
      // The two ends of a long name are one text.
      found.push((holder?.matches('.name-start, .name-end') ? holder.parentElement?.textContent : node.textContent) ?? '');
    }
    for (const element of document.body.querySelectorAll('*'))
      for (const name of ['aria-label', 'aria-description', 'aria-roledescription', 'aria-valuetext', 'title', 'placeholder', 'alt'])
        found.push(element.getAttribute(name) ?? '');
    return [...new Set(found)];
  });

const leaves = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  return Object.values(value).flatMap(leaves);
};
/** Data that pages put together: a type or operator beside its shape, an operator set beside its version. */
const together = ['float32 N', 'Conv N', 'ai.onnx 17'];
/** What a report says on every surface, its tables and readings among it. */
const saidBy = (report: Report): readonly string[] => [
  toMarkdown(report),
  ...report.cards.flatMap((card) => [...leaves(twinsOf(card)), readingOf(card).join(' ')]),
  subjectOf(report.provenance, (path) => path.split('/').at(-1) ?? path),
  ...Object.entries({ ...report.provenance.options, ...report.provenance.versions }).map(([name, value]) => `${name} ${value}`),
  ...[report.provenance.modelSha256, report.provenance.dataSha256].map((sha256) => `sha256 ${sha256}`),
];

const units = /(?<![\p{L}\d])[-−]?[\d.,]+(?:e[-−]?\d+)?\s?(?:%|ms|s|min|h|k|[kMGT]?B|nats)?(?![\p{L}\d])/gu;
/** What is left of a text without what is bracketed, numbers and signs: words as they are. */
const bare = (text: string): readonly string[] => {
  let left = text;
  for (let before = ''; before !== left; ) {
    before = left;
    left = left.replace(/⟦[^⟦⟧]*⟧/g, ' | ');
  }
  return left
    .replace(units, ' | ')
    .split(/[|:;,·()[\]→←×±…\n]+/)
    .map((part) => part.trim())
    .filter((part) => /\p{L}/u.test(part));
};

// One law for every page, present and future: in a language where every text of the page is bracketed, what is not is of the message.
for (const { name, mode, messages, ready, act } of [...pages, ...studyPages]) {
  test(`${name}: what is not in the bundle comes from the data, the model or the report`, { skip }, async () => {
    const { page, errors } = await openPanel(`l10n-${name}`.replaceAll(' ', '-'), { mode, words: bracketed, before: CANVAS });
    for (const message of messages) await post(page, message);
    await page.locator(ready).first().waitFor();
    await act?.(page);
    await page.screenshot({ path: screenshot(`l10n ${name}`), fullPage: true });
    const shown = await texts(page);
    const reports = messages.flatMap((message) => (message.type === 'reports' ? (message.reports as readonly Report[]) : []));
    const known = [...together, ...leaves(messages), ...reports.flatMap(saidBy)].map((text) => text.replaceAll('_', ' ').toLowerCase());
    const strange = shown.flatMap((text) =>
      bare(text)
        .filter((part) => !known.some((one) => one.includes(part.replaceAll('_', ' ').toLowerCase())))
        .map((part) => `${part} ← ${text}`),
    );
    assert.deepEqual(strange, []);
    assert.ok(shown.filter((text) => text.includes('⟦')).length > 0, 'the page speaks the language');
    assert.deepEqual(errors, []);
    await page.context().close();
  });
}

test('in English, and in a language whose bundle lacks a text, the text itself is shown', { skip }, async () => {
  const { page } = await openPanel('l10n-part', { mode: 'report', words: { 'This did not work': 'Das ging nicht' } });
  await post(page, { type: 'problem', sentence: 'No file.' });
  await page.getByText('Das ging nicht').waitFor();
  await page.getByRole('button', { name: 'Run again' }).waitFor();
  await page.context().close();
});
