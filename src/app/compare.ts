import { Fault } from '../base/fault.ts';
import { toldApart } from '../base/told-apart.ts';
import { fromJson } from '../report/json.ts';
import { type Interval, type NumberCard, type Report, SCHEMA, type TableCard } from '../report/report.ts';
import { cardDifferences } from './compare-cards.ts';
import { differenceInterval, differenceTable } from './compare-difference.ts';
import { pairedRuns, rowNotes, sameRows } from './compare-pairs.ts';
import type { Ports, UseCase } from './ports.ts';

/** The one report in a file that `--json` wrote, or that the editor keeps of a run. */
const readRun = async (path: string, ports: Ports, signal: AbortSignal): Promise<Report> => {
  const source = await ports.source(path);
  const text = new TextDecoder().decode(await source.read(0, source.size, signal));
  const reports = keptReports(text);
  if (reports === undefined) return fromJson(text, path);
  if (reports.length === 1) return fromJson(JSON.stringify(reports[0]), path);
  throw new Fault('report/unreadable', { name: path, reason: `it holds ${reports.length} reports; save the one to compare` });
};

/** The reports of a kept run, or of a suite; undefined where the file is anything else. */
const keptReports = (text: string): readonly unknown[] | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    if ('reports' in value && Array.isArray(value.reports)) return value.reports;
    if ('checks' in value && Array.isArray(value.checks))
      return value.checks.flatMap((c: unknown) => (typeof c === 'object' && c !== null && 'report' in c ? [c.report] : []));
    return undefined;
  } catch {
    return undefined;
  }
};

interface Row {
  readonly name: string;
  readonly a: number;
  readonly b: number;
  readonly interval: Interval | undefined;
}

/** Numbers of two subjects stand in it beside each other. */
const comparesAlready = ({ provenance, headline }: Report): boolean =>
  provenance.against !== undefined || Object.keys(headline).some((name) => Object.hasOwn(headline, `against_${name}`));

/** Why two runs say nothing about each other. */
const incomparable = (a: Report, b: Report): string | undefined => {
  for (const [which, { outcome, reason }] of [
    ['the first', a],
    ['the other', b],
  ] as const)
    if (outcome !== 'measured') return `${which} measured nothing (${outcome}${reason ? `: ${reason.sentence}` : ''})`;
  if (comparesAlready(a) || comparesAlready(b)) return 'what is compared here are runs of one subject each, and a comparison was given';
  if (a.id !== b.id) return `they are runs of different diagnostics, '${a.id}' and '${b.id}'`;
  return undefined;
};

const optionNotes = (a: Report, b: Report): string[] => {
  const [x, y] = [a.provenance.options, b.provenance.options];
  const changed = [...new Set([...Object.keys(x), ...Object.keys(y)])].filter((k) => JSON.stringify(x[k]) !== JSON.stringify(y[k]));
  return changed.length === 0
    ? []
    : [
        `Options differ, so part of the differences may come from them: ${changed.map((k) => `${k} ${JSON.stringify(x[k])} and ${JSON.stringify(y[k])}`).join('; ')}.`,
      ];
};

const sameLevel = ({ provenance: { options: x } }: Report, { provenance: { options: y } }: Report): boolean =>
  Object.keys(x).every((name) => !/level$/i.test(name) || x[name] === y[name]);

const newerNotes = (a: Report, b: Report, names: readonly [string, string]): string[] =>
  [a, b].flatMap(({ schema }, s) =>
    schema > SCHEMA
      ? [
          `'${names[s]}' was saved by a newer version (report schema ${schema}; this one reads ${SCHEMA}); what this one does not know is left out.`,
        ]
      : [],
  );

const sameModel = ({ provenance: a }: Report, { provenance: b }: Report): boolean =>
  a.modelSha256 !== undefined && a.modelSha256 === b.modelSha256;

const table = (rows: readonly Row[], names: readonly [string, string]): TableCard =>
  differenceTable(
    'Headline numbers',
    names,
    rows.map(({ name, a, b, interval }) => [name, a, b, a - b, interval ? [interval.low, interval.high] : null]),
  );

const told = (rows: readonly Row[]): NumberCard => ({
  kind: 'number',
  title: 'Differences that their intervals set apart from 0',
  values: rows.map(({ name, a, b, interval }) => ({
    name: `${name}_difference`,
    label: name,
    value: a - b,
    unit: 'none',
    ...(interval ? { interval } : {}),
  })),
});

/** Two saved runs of one diagnostic, number by number and card by card. */
export const compareRuns = (a: Report, b: Report, names: readonly [string, string]): Omit<Report, 'provenance'> => {
  const reason = incomparable(a, b);
  if (reason !== undefined) throw new Fault('report/incomparable', { names, reason });
  const shared = Object.keys(a.headline).filter((name) => Object.hasOwn(b.headline, name));
  if (shared.length === 0) throw new Fault('report/incomparable', { names, reason: 'they have no headline number in common' });
  const paired = pairedRuns(a, b, names);
  const rows = shared.map((name): Row => {
    const [x, y] = [a.headline[name], b.headline[name]];
    return { name, a: x, b: y, interval: differenceInterval(x, a.intervals[name], y, b.intervals[name], paired?.correlations[name]) };
  });
  const apart = rows.filter(({ interval }) => interval && (interval.low > 0 || interval.high < 0));
  const judged = rows.filter(({ interval }) => interval !== undefined);
  const equal = rows.every((r) => r.a === r.b);
  const only = [
    ...Object.keys(a.headline).filter((name) => !Object.hasOwn(b.headline, name)),
    ...Object.keys(b.headline).filter((name) => !Object.hasOwn(a.headline, name)),
  ];
  const { cards, left } = cardDifferences(a, b, {
    names,
    sameRows: paired !== undefined || sameRows(a, b),
    sameLevel: sameLevel(a, b),
    correlations: paired?.correlations ?? {},
  });
  return {
    schema: SCHEMA,
    id: 'compare-runs',
    title: `${a.title}: two runs`,
    question: 'What differs between two runs of one diagnostic, and by more than chance?',
    outcome: 'measured',
    // What is asked for first: the differences, those with an interval before the others.
    headline: Object.fromEntries([
      ...[...judged, ...rows.filter((row) => !judged.includes(row) && row.name !== 'rows')].map(
        ({ name, a: x, b: y }) => [`${name}_difference`, x - y] as const,
      ),
      ...rows.flatMap(({ name, a: x, b: y }) => [
        [name, x] as const,
        [`against_${name}`, y] as const,
        ...(name === 'rows' ? [[`${name}_difference`, x - y] as const] : []),
      ]),
    ]),
    intervals: Object.fromEntries(
      rows.flatMap(({ name, interval }) => [
        ...(Object.hasOwn(a.intervals, name) ? [[name, a.intervals[name]] as const] : []),
        ...(Object.hasOwn(b.intervals, name) ? [[`against_${name}`, b.intervals[name]] as const] : []),
        ...(interval ? [[`${name}_difference`, interval] as const] : []),
      ]),
    ),
    cards: [...(apart.length > 0 ? [told(apart)] : []), table(rows, names), ...(paired?.cards ?? []), ...cards],
    guide: equal
      ? `All ${rows.length} numbers that both runs give are equal: nothing here speaks for either.`
      : `Of ${rows.length} numbers that both runs give, ${judged.length} have an interval in both, and ${apart.length === 0 ? 'none of these differs by more than chance allows' : `${apart.length} of these ${apart.length === 1 ? 'differs' : 'differ'} by more than chance allows: ${apart.map((r) => r.name).join(', ')}`}.${paired ? ` ${paired.guide} A difference without an interval may be noise; more rows narrow the others.` : ' A difference without an interval may be noise; run both with more rows, or compare the two models on the same data, where what both get right cancels.'} When many numbers are read, some stand apart by chance.`,
    notes: [
      ...newerNotes(a, b, names),
      ...rowNotes(a, b, paired),
      ...(sameModel(a, b) ? ['Both runs are of the same model file.'] : []),
      ...optionNotes(a, b),
      ...(only.length > 0 ? [`Only one of the runs has ${only.join(', ')}.`] : []),
      ...left,
    ],
    // The same rows of either; what the first run knows of them.
    samples: paired ? a.samples : [],
  };
};

/** A kept run by when it began. */
const begun = ({ provenance: { startedAt } }: Report): string => startedAt.slice(0, 19).replace('T', ' ');

/** Runs are called by their models, or tables of predictions, where these differ, else by their files; runs that the editor keeps, whose files are all named alike, by when they began. */
const namesOf = (a: Report, b: Report, runs: readonly [string, string]): readonly [string, string] => {
  const [{ modelPath: x, dataPath: one }, { modelPath: y, dataPath: two }] = [a.provenance, b.provenance];
  if (x !== undefined && y !== undefined && x !== y) return toldApart(x, y);
  if (x === undefined && y === undefined && one !== two) return toldApart(one, two);
  const kept = runs.every((path) => /[\\/]report\.json$/.test(path));
  return kept && begun(a) !== begun(b) ? [begun(a), begun(b)] : toldApart(...runs);
};

export const compare: UseCase<'compare'> = async ({ runs }, ports, job) => {
  const startedAt = new Date().toISOString();
  const began = performance.now();
  const a = await readRun(runs[0], ports, job.signal);
  const b = await readRun(runs[1], ports, job.signal);
  const { modelPath, modelSha256, dataPath, dataSha256 } = b.provenance;
  return {
    ...compareRuns(a, b, namesOf(a, b, runs)),
    provenance: {
      ...a.provenance,
      against: { dataPath, dataSha256, ...(modelPath ? { modelPath } : {}), ...(modelSha256 ? { modelSha256 } : {}) },
      device: { requested: 'auto', actual: 'none', reason: 'saved reports were read' },
      versions: ports.versions,
      seconds: (performance.now() - began) / 1000,
      startedAt,
    },
  };
};
