import { format, formatInterval, intervalName } from '../../report/format.ts';
import { leadingOf } from '../../report/headline.ts';
import type { Report } from '../../report/report.ts';
import { subjectOf } from '../../report/subject.ts';
import type { Attribution, ModelFacts, Shown } from '../../report/tasks.ts';
import type { Answer, AnswerFile } from './define.ts';

const dims = (of: readonly (number | string)[]): string => `[${of.join(', ')}]`;
const links = (files: readonly AnswerFile[]): string[] =>
  files.length === 0 ? [] : ['', 'Files:', ...files.map(({ title, path }) => `- ${title}: ${path}`)];

const MOST_NUMBERS = 12;

/** A report as an agent reads it: headline with intervals, the guide, notes, and where the whole lies. */
export const reportAnswer = (report: Report, run: string, files: readonly AnswerFile[]): Answer => {
  const { outcome, reason, provenance: p, guide, notes } = report;
  const { leading, others } = leadingOf(report, MOST_NUMBERS);
  const numbers = leading.map(({ name, label, value, unit, interval }) => {
    const range = interval ? `, ${formatInterval(interval, unit)} (${intervalName(interval)})` : '';
    return `- ${name}: ${format(value, unit)}${range}${label === name ? '' : ` (${label})`}`;
  });
  const text = [
    `${report.title}: ${subjectOf(p, (path) => path)}`,
    report.question,
    '',
    ...(outcome === 'measured' ? [] : [`${outcome}: ${reason?.sentence ?? 'nothing was measured'}`]),
    ...numbers,
    ...(others.length > 0 ? [`- ${others.length} more numbers are in the report`] : []),
    ...(guide ? ['', `How to read this: ${guide}`] : []),
    ...(notes.length > 0 ? ['', 'Notes:', ...notes.map((note) => `- ${note}`)] : []),
    '',
    `${format(p.rows, 'count')} rows, seed ${p.seed}, device ${p.device.actual} (asked for ${p.device.requested}: ${p.device.reason}), ${format(p.seconds, 'seconds')}.`,
    ...links(files),
  ].join('\n');
  const facts = {
    run,
    outcome,
    headline: report.headline,
    intervals: report.intervals,
    device: p.device.actual,
    rows: p.rows,
    files: files.map(({ path }) => path),
  };
  return { text, files, facts, ...(outcome === 'unavailable' || outcome === 'failed' ? { failed: true as const } : {}) };
};

export const modelAnswer = (facts: ModelFacts): Answer => {
  const count = (n: number): string => format(n, 'count');
  const text = [
    `${facts.path}: ${format(facts.bytes, 'bytes')}, ${facts.producer || 'unknown producer'}, opset ${facts.opsets['ai.onnx'] ?? '?'}`,
    ...facts.inputs.map((v) => `- input ${v.name}: ${v.dtype}${dims(v.dims)}`),
    ...facts.outputs.map((v) => `- output ${v.name}: ${v.dtype}${dims(v.dims)}`),
    `- ${count(facts.nodes)} nodes, ${count(facts.parameters)} parameters, ${facts.macs === null ? 'unknown' : count(facts.macs)} multiply–accumulates a row`,
    `- operators: ${facts.operators.map(({ op, count: n }) => `${op} ×${n}`).join(', ')}`,
    facts.withoutGradient.length === 0
      ? '- every node has a gradient'
      : `- ${count(facts.withoutGradient.length)} nodes without a gradient: ${facts.withoutGradient
          .slice(0, 10)
          .map(({ node, op, reason }) => `${node} (${op}: ${reason})`)
          .join('; ')}`,
    ...facts.notes.map((note) => `- note: ${note}`),
  ].join('\n');
  const { layers: _, ...rest } = facts;
  const files = [{ path: facts.path, title: 'Model', mime: 'application/octet-stream' }];
  return { text, files, facts: rest };
};

/** The name of one place of what an attribution is drawn over. */
const placeIn = (shown: Shown, at: number): string => {
  switch (shown.kind) {
    case 'map':
      return `pixel at row ${Math.floor(at / shown.width)}, column ${at % shown.width}`;
    case 'tokens':
      return `word ${at + 1} '${shown.words[at]}'`;
    case 'signal':
      return `place ${at}`;
    case 'bars':
      return `${shown.what.toLowerCase()} '${shown.names[at]}'${shown.inputs ? ` = ${format(shown.inputs[at])}` : ''}`;
  }
};

const MOST_PLACES = 12;
const MOST_CLASSES = 5;

export const attributionAnswer = (a: Attribution, data: string): Answer => {
  const name = (index: number): string => a.classes[index] ?? String(index);
  const order = Array.from(a.values.keys()).sort((i, j) => Math.abs(a.values[j]) - Math.abs(a.values[i]));
  const top = order.slice(0, MOST_PLACES).map((at) => ({ place: placeIn(a.shown, at), value: a.values[at] }));
  const likely = Array.from(a.probs, (p, index) => ({ class: name(index), probability: p }))
    .sort((p, q) => q.probability - p.probability)
    .slice(0, MOST_CLASSES);
  const classed = a.classes.length > 0;
  const text = [
    `Row ${a.row} of ${data} (${a.position + 1} of ${format(a.count, 'count')} in the split)`,
    ...(classed ? [`- predicted: ${name(a.prediction)}${a.label === undefined ? '' : `, labelled ${name(a.label)}`}`] : []),
    ...(likely.length > 0 ? [`- probabilities: ${likely.map((l) => `${l.class} ${format(l.probability, 'fraction')}`).join(', ')}`] : []),
    `- what speaks for (+) or against (−) ${classed ? `class ${name(a.target)}` : 'a larger output'}, by ${a.method}:`,
    ...top.map(({ place, value }) => `  - ${place}: ${value >= 0 ? '+' : '−'}${format(Math.abs(value))}`),
    ...a.facts.map(({ label, value, unit }) => `- ${label}: ${typeof value === 'number' ? format(value, unit) : value}`),
    ...a.notes.map((note) => `- note: ${note}`),
    '',
    'How to read this: the values are parts of the score of that class, not of its probability; a map says what this model looked at for this row, not what causes the label. Run the diagnostic attribution-audit to see how far the method can be trusted on this model.',
  ].join('\n');
  const facts = {
    row: a.row,
    prediction: classed ? name(a.prediction) : a.prediction,
    ...(a.label === undefined ? {} : { label: name(a.label) }),
    target: classed ? name(a.target) : a.target,
    probabilities: likely,
    method: a.method,
    attributions: top,
  };
  return { text, files: [], facts };
};
