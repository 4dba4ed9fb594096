import { format, formatRange } from './format.ts';
import { headlineOf } from './headline.ts';
import { toJson } from './json.ts';
import type { Card, Report, TableCard } from './report.ts';
import type { Verdict } from './tasks.ts';
import { twinsOf, unknownCard } from './twin.ts';

/** What stands above the reports of a suite. */
export interface SuiteHead {
  readonly title: string;
  readonly checks: readonly Verdict[];
}

/** The bundle of `webview/`, as text. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

const MARKUP: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => MARKUP[c]);

/** Inside <script> and <style> only the closing tag (and, in a script, a comment opening) can break out. */
const inScript = (text: string): string => text.replace(/<\/(script)/gi, '<\\/$1').replace(/<!--/g, '<\\x21--');
const inStyle = (text: string): string => text.replace(/<\/(style)/gi, '<\\/$1');
const inJson = (text: string): string => text.replace(/[<\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Rows written into the table that is shown without scripts. */
const MOST_ROWS = 500;

const cell = (value: TableCard['rows'][number][number], column: TableCard['columns'][number]): string => {
  if (typeof value === 'string') return `<td>${escapeHtml(value)}</td>`;
  const text =
    column.type === 'row' && typeof value === 'number'
      ? String(value)
      : Array.isArray(value)
        ? formatRange(value[0], value[1], column.unit)
        : format(value as number | null, column.unit);
  return `<td class="number">${escapeHtml(text)}</td>`;
};

const tableHtml = ({ title, columns, rows }: TableCard): string =>
  [
    `<table><caption>${escapeHtml(title)}</caption>`,
    `<thead><tr>${columns.map((column) => `<th scope="col">${escapeHtml(column.label)}</th>`).join('')}</tr></thead><tbody>`,
    ...rows.slice(0, MOST_ROWS).map((row) => `<tr>${row.map((value, i) => cell(value, columns[i])).join('')}</tr>`),
    '</tbody></table>',
    rows.length > MOST_ROWS ? `<p>${format(rows.length - MOST_ROWS, 'count')} more rows are in the JSON.</p>` : '',
  ].join('');

const cardHtml = (card: Card): string => {
  const paragraphs = card.kind === 'text' ? (card.paragraphs ?? []).map((text) => `<p>${escapeHtml(text)}</p>`).join('') : '';
  const caption = card.caption ? `<p>${escapeHtml(card.caption)}</p>` : '';
  const tables = twinsOf(card)?.map(tableHtml).join('') ?? `<p>${escapeHtml(unknownCard(card.kind))}</p>`;
  return `<section><h3>${escapeHtml(String(card.title))}</h3>${caption}${paragraphs}${tables}</section>`;
};

const reportHtml = (report: Report): string =>
  [
    `<article><h2>${escapeHtml(report.title)}</h2><p>${escapeHtml(report.question)}</p>`,
    report.reason ? `<p><strong>${report.outcome}: ${escapeHtml(report.reason.sentence)}</strong></p>` : '',
    '<dl>',
    ...headlineOf(report).map(({ label, value, unit }) => `<dt>${escapeHtml(label)}</dt><dd>${escapeHtml(format(value, unit))}</dd>`),
    `</dl><p>${escapeHtml(report.guide)}</p>`,
    ...report.cards.map(cardHtml),
    report.notes.length > 0 ? `<ul>${report.notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('')}</ul>` : '',
    `<pre>${escapeHtml(JSON.stringify(report.provenance, null, 1))}</pre></article>`,
  ].join('');

const suiteHtml = ({ title, checks }: SuiteHead): string =>
  `<h1>${escapeHtml(title)}</h1><ul>${checks.map(({ name, status, sentence }) => `<li>${status}: ${escapeHtml(name)}. ${escapeHtml(sentence)}</li>`).join('')}</ul>`;

/**
 * One self-contained file: the page of the VS Code panel with its script, style and reports written into it.
 * It asks the network for nothing (its policy forbids it) and shows tables where scripts do not run.
 */
export const toHtml = (reports: readonly Report[], assets: PageAssets, suite?: SuiteHead): string => {
  const title = suite?.title ?? (reports.length === 1 ? reports[0].title : `${reports.length} reports`);
  const checks = suite ? `, "checks": ${inJson(JSON.stringify(suite.checks))}` : '';
  const data = `{"title": ${inJson(JSON.stringify(title))}${checks}, "reports": [${reports.map((report) => inJson(toJson(report).trimEnd())).join(',\n')}]}`;
  return `<!doctype html>
<html lang="en" class="standalone">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} · Assay</title>
<style>${inStyle(assets.style)}</style>
</head>
<body>
<main id="assay"></main>
<noscript>${suite ? suiteHtml(suite) : ''}${reports.map(reportHtml).join('\n')}</noscript>
<script type="application/json" id="assay-report">${data}</script>
<script>${inScript(assets.script)}</script>
</body>
</html>
`;
};
