import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import type { Tensor } from '../../base/tensor.ts';
import type { ColumnsTool } from '../../evidence/evidence.ts';
import type { GenerationOptions } from './generation-options.ts';
import { type Aggregate, aggregate, aggregateIds, aggregates, linesOf, listAt, logProbsOf } from './generation-tokens.ts';
import { type Pile, pile, put, values } from './pairs.ts';

/** One confidence of every unit. */
export interface Measure {
  readonly id: string;
  readonly title: string;
  readonly values: Float64Array;
}

/** Names and, for every unit, which of them it has. */
export interface Parts {
  readonly column: string;
  readonly names: readonly string[];
  readonly of: Int32Array;
}

/** What was generated: units are completions, or their lines. */
export interface Generations {
  /** Dataset rows of the units. */
  readonly rows: Float64Array;
  readonly correct: Uint8Array;
  readonly measures: readonly Measure[];
  /** Units that stand or fall together. */
  readonly groups?: Parts;
  readonly tasks?: Parts;
  readonly what: 'generations' | 'lines';
}

const usual = {
  correct: ['correct', 'passed', 'is_correct', 'pass', 'label', 'y'],
  logProbs: ['token_logprobs', 'logprobs', 'log_probs', 'token_log_probs', 'logprobs.token_logprobs', 'logprobs.content'],
  tokens: ['tokens', 'logprobs.tokens', 'logprobs.content'],
  lineCorrect: ['line_correct', 'correct_lines', 'correct'],
  reference: ['reference', 'target', 'canonical_solution', 'ground_truth'],
  scores: ['confidence', 'score', 'verbalised', 'verbalized', 'p_true'],
  group: ['group', 'repository', 'repo', 'problem', 'problem_id', 'task_id'],
  task: ['task', 'language', 'lang'],
} as const;

/** The columns that are read, by what they mean. */
interface Found {
  readonly line: boolean;
  readonly correct?: string;
  readonly logProbs?: string;
  readonly tokens?: string;
  readonly reference?: string;
  readonly scores: readonly string[];
  readonly pFalse?: string;
  readonly group?: string;
  readonly task?: string;
}

const findColumns = ({ list, path }: ColumnsTool, o: GenerationOptions): Found => {
  const names = list.map(({ name }) => name);
  const column = (asked: string, role: keyof typeof usual): string | undefined =>
    asked === '' ? usual[role].find((name) => names.includes(name)) : asked;
  const has = (role: keyof typeof usual): boolean => usual[role].some((name) => names.includes(name));
  const onlyLines = o.correct === '' && !has('correct') && has('lineCorrect') && has('tokens');
  const line = o.level === 'line' || (o.level === 'auto' && onlyLines);
  const some = <K extends keyof Found>(key: K, name: string | undefined): Partial<Record<K, string>> =>
    name === undefined ? {} : ({ [key]: name } as Partial<Record<K, string>>);
  const given = o.score === '' ? usual.scores.filter((name) => names.includes(name)) : [o.score];
  const found: Found = {
    line,
    ...some('correct', column(o.correct, line ? 'lineCorrect' : 'correct')),
    ...some('logProbs', column(o.logProbs, 'logProbs')),
    ...some('tokens', column('', 'tokens')),
    ...some('reference', column('', 'reference')),
    scores: line ? [] : given,
    ...(given.includes('p_true') && names.includes('p_false') ? { pFalse: 'p_false' } : {}),
    ...some('group', column(o.group, 'group')),
    ...some('task', column(o.task, 'task')),
  };
  if (line && (found.logProbs === undefined || found.tokens === undefined)) throw new Fault('diagnostic/no-lines', { path, known: names });
  if (found.logProbs === undefined && found.scores.length === 0) throw new Fault('diagnostic/no-confidence', { path, known: names });
  if (found.correct === undefined && !(line && found.reference !== undefined))
    throw new Fault('diagnostic/no-correct', { path, known: names });
  return found;
};

/** Rows whose outcome is neither 0 nor 1 that are listed. */
const LISTED = 5;

/** Numbers of names in the order met. */
const dictionary = (column: string) => {
  const index = new Map<string, number>();
  const of = pile();
  return {
    add(name: string): void {
      const at = index.get(name) ?? index.size;
      index.set(name, at);
      put(of, at);
    },
    /** Names in alphabetical order, so that the order of rows cannot matter. */
    parts(): Parts {
      const names = [...index.keys()];
      const sorted = names.toSorted();
      const place = new Map(sorted.map((name, i) => [name, i]));
      return { column, names: sorted, of: Int32Array.from(values(of), (at) => place.get(names[at]) ?? 0) };
    },
  };
};

const wordAt = ({ data }: Tensor, i: number): string => String(data[i]);
const numberAt = ({ data, dims }: Tensor, i: number): number =>
  dims.length > 1 ? Number.NaN : Array.isArray(data) ? (data[i].trim() === '' ? Number.NaN : Number(data[i])) : Number(data[i]);

/** Reads outcomes and confidences, a batch of rows at a time: what is kept is 8 bytes a unit for each confidence and 32 besides. */
export const readGenerations = async (columns: ColumnsTool, o: GenerationOptions, job: Job): Promise<Generations> => {
  const found = findColumns(columns, o);
  const { line } = found;
  const asked = o.aggregate === 'all' ? aggregateIds : [o.aggregate];
  const kept: { readonly id: string; readonly title: string; readonly values: Pile }[] = [
    ...(found.logProbs === undefined ? [] : asked.map((id) => ({ id: id.replaceAll('-', '_'), title: aggregates[id], values: pile() }))),
    ...found.scores.map((id) => ({ id, title: id === 'p_true' ? 'P(True)' : `Column '${id}'`, values: pile() })),
  ];
  const [rows, correct] = [pile(), pile()];
  const groups = found.group === undefined ? undefined : dictionary(found.group);
  const tasks = found.task === undefined ? undefined : dictionary(found.task);
  const wanted = [
    ...new Set(
      [
        found.correct,
        found.logProbs,
        ...(line ? [found.tokens, found.reference] : []),
        ...found.scores,
        found.pFalse,
        found.group,
        found.task,
      ].filter((name) => name !== undefined),
    ),
  ];
  const wrong: number[] = [];
  let wrongs = 0;
  let most = 0;
  const outcome = (value: number, row: number): number => {
    if (o.threshold > 0 && value >= 0 && value <= 1) return Number(value >= o.threshold);
    if (value === 0 || value === 1) return value;
    if (wrongs++ < LISTED) wrong.push(row);
    return 0;
  };

  let done = 0;
  for await (const batch of columns.batches(wanted, job.signal)) {
    const of = (name: string | undefined): Tensor | undefined => (name === undefined ? undefined : batch.columns[wanted.indexOf(name)]);
    const [right, logs, tokens, reference, group, task, pFalse] = [
      found.correct,
      found.logProbs,
      found.tokens,
      found.reference,
      found.group,
      found.task,
      found.pFalse,
    ].map(of);
    for (const [i, row] of batch.rows.entries()) {
      const unit = (hit: number, logProbs: readonly number[] | undefined): void => {
        put(rows, row);
        put(correct, hit);
        groups?.add(group ? wordAt(group, i) : '');
        tasks?.add(task ? wordAt(task, i) : '');
        if (logProbs) {
          const made = aggregate(logProbs);
          for (const [k, id] of asked.entries()) put(kept[k].values, made[id as Aggregate]);
        }
      };
      const logProbs =
        logs && found.logProbs !== undefined ? logProbsOf(listAt(logs, i, found.logProbs, row), found.logProbs, row) : undefined;
      if (line) {
        if (!tokens || !logProbs || found.tokens === undefined) continue;
        const lines = linesOf(listAt(tokens, i, found.tokens, row), logProbs, { column: found.tokens, row });
        const hits = found.correct !== undefined && right ? listAt(right, i, found.correct, row).map(Number) : undefined;
        const due =
          reference && hits === undefined
            ? wordAt(reference, i)
                .split('\n')
                .filter((text) => text.trim() !== '')
            : [];
        if (hits && hits.length !== lines.length)
          throw new Fault('diagnostic/line-count', { row, column: found.correct ?? '', lines: lines.length, found: hits.length });
        for (const [k, { text, logProbs: own }] of lines.entries())
          unit(hits ? outcome(hits[k], row) : Number(text.trim() === due[k]?.trim()), own);
        continue;
      }
      unit(right ? outcome(numberAt(right, i), row) : 0, logProbs);
      for (const [k, name] of found.scores.entries()) {
        const tensor = of(name);
        const scale = o.scoreScale === 'percent' && name !== 'p_true' ? 100 : 1;
        let c = tensor ? numberAt(tensor, i) / scale : Number.NaN;
        if (name === 'p_true' && pFalse) c /= c + numberAt(pFalse, i);
        if (!(c >= 0 && c <= 1)) throw new Fault('diagnostic/confidence', { column: name, row, value: scale * c, percent: scale > 1 });
        if (scale > 1) most = Math.max(most, scale * c);
        put(kept[kept.length - found.scores.length + k].values, c);
      }
    }
    done += batch.rows.length;
    job.progress((0.3 * done) / columns.rows.length, `${done} of ${columns.rows.length} rows`);
  }
  if (most > 0 && most <= 1)
    job.note('Scores were declared to be percent (scoreScale), but none is above 1: if they are fractions, leave that out.');
  if (wrongs > 0) throw new Fault('diagnostic/correct', { column: found.correct ?? '', rows: wrong, count: wrongs });
  const hits = Uint8Array.from(values(correct));
  const passed = hits.reduce((sum, hit) => sum + hit, 0);
  const what = line ? 'lines' : 'generations';
  if (hits.length === 0) throw new Fault('diagnostic/no-units', { path: columns.path, what });
  if (passed === 0 || passed === hits.length)
    throw new Fault('diagnostic/single-outcome', { what, count: hits.length, passed: passed > 0 });
  const own = values(rows);
  const grouped = groups?.parts() ?? (line ? byRow(own) : undefined);
  return {
    rows: own,
    correct: hits,
    measures: kept.map(({ id, title, values: of }) => ({ id, title, values: values(of) })),
    ...(grouped ? { groups: grouped } : {}),
    ...(tasks ? { tasks: tasks.parts() } : {}),
    what,
  };
};

/** Lines of one completion stand together. */
const byRow = (rows: Float64Array): Parts => {
  const names = [...new Set(rows)].map(String);
  const place = new Map(names.map((name, i) => [name, i]));
  return { column: 'row', names, of: Int32Array.from(rows, (row) => place.get(String(row)) ?? 0) };
};
