import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import type { ColumnsTool } from '../../evidence/evidence.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { generationFindings } from './generation-findings.ts';
import { type GenerationOptions, generationOptions } from './generation-options.ts';
import { type Generations, type Measure, type Parts, readGenerations } from './generation-read.ts';
import { crossRescaled, fitPlatt, foldsOf, type Platt, type Transfer, transfer } from './generation-rescale.ts';
import { baseRate, type Judged, judge, type Ranged, skillOf } from './generation-scores.ts';

/** One measure as it is and, where there are enough units, rescaled. */
export interface Compared {
  readonly id: string;
  readonly title: string;
  readonly raw: Judged;
  readonly after?: Judged;
  /** The fit to keep: on all units. */
  readonly platt?: Platt;
}

/** One task or language under the chosen measure. */
export interface TaskScores {
  readonly name: string;
  readonly units: number;
  readonly base: Ranged;
  readonly raw?: ReturnType<typeof skillOf>;
  readonly after?: ReturnType<typeof skillOf>;
}

export interface GenerationConfidence {
  readonly what: Generations['what'];
  readonly units: number;
  readonly groups: number | null;
  readonly groupColumn: string;
  readonly base: Ranged;
  readonly measures: readonly Compared[];
  /** Index of the measure of highest skill, rescaled where it can be. */
  readonly best: number;
  readonly taskColumn: string;
  readonly tasks: readonly TaskScores[];
  readonly transfer?: Transfer;
  readonly notes: readonly string[];
}

const partOf = (of: Generations, keep: (i: number) => boolean): Generations => ({
  rows: of.rows.filter((_, i) => keep(i)),
  correct: of.correct.filter((_, i) => keep(i)),
  measures: [],
  what: of.what,
  ...(of.groups ? { groups: { ...of.groups, of: of.groups.of.filter((_, i) => keep(i)) } } : {}),
});

/** Tasks listed, the largest first. */
const MOST_TASKS = 50;

const byTask = (
  of: Generations,
  tasks: Parts,
  { values }: Measure,
  after: Float64Array | undefined,
  level: number,
): readonly TaskScores[] => {
  const count = new Int32Array(tasks.names.length);
  for (const t of tasks.of) count[t]++;
  const largest = Array.from(count, (_, t) => t)
    .sort((a, b) => count[b] - count[a] || a - b)
    .slice(0, MOST_TASKS)
    .sort((a, b) => a - b);
  return largest.map((t): TaskScores => {
    const keep = (i: number): boolean => tasks.of[i] === t;
    const own = partOf(of, keep);
    const base = baseRate(own, level);
    const some = base.value > 0 && base.value < 1;
    const scores = (c: Float64Array): ReturnType<typeof skillOf> =>
      skillOf(
        c.filter((_, i) => keep(i)),
        own,
        level,
      );
    return {
      name: tasks.names[t],
      units: own.rows.length,
      base,
      ...(some ? { raw: scores(values) } : {}),
      ...(some && after ? { after: scores(after) } : {}),
    };
  });
};

/** Whether confidence tells the outcomes apart without error, one way or the other. */
const separates = ({ values }: Measure, correct: Uint8Array): boolean => {
  const ends = (outcome: number): readonly [number, number] =>
    values.reduce<readonly [number, number]>(
      ([low, high], c, i) => (correct[i] === outcome ? [Math.min(low, c), Math.max(high, c)] : [low, high]),
      [1, 0],
    );
  const [wrong, right] = [ends(0), ends(1)];
  return wrong[1] < right[0] || right[1] < wrong[0];
};

const study = async (columns: ColumnsTool, o: GenerationOptions, job: Job): Promise<GenerationConfidence> => {
  const of = await readGenerations(columns, o, job);
  const notes: string[] = [];
  let fold: Int32Array | undefined;
  try {
    fold = foldsOf(of, o.folds, job.random('folds'));
  } catch (error) {
    if (!Fault.is(error, 'diagnostic/fold-outcomes') && !Fault.is(error, 'diagnostic/fold-groups')) throw error;
    notes.push(error.message);
  }
  const measures: Compared[] = [];
  const outOfFold: Float64Array[] = [];
  for (const [k, measure] of of.measures.entries()) {
    const { id, title, values } = measure;
    job.progress(0.3 + (0.7 * k) / of.measures.length, title);
    const raw = await judge(values, of, o, job);
    if (!fold) {
      measures.push({ id, title, raw });
      continue;
    }
    if (separates(measure, of.correct))
      notes.push(`${title} tells right from wrong without error here: its rescaling would grow without bound, and slopes are cut at 100.`);
    const platt = fitPlatt(values, of.correct, o.rescale, o.smoothed);
    const after = crossRescaled(values, of.correct, fold, o.folds, o, platt);
    outOfFold.push(after);
    measures.push({ id, title, raw, after: await judge(after, of, o, job), platt });
  }
  const skills = measures.map(({ raw, after }) => (after ?? raw).skill.value);
  const best = skills.indexOf(Math.max(...skills));
  const { tasks } = of;
  const several = tasks && tasks.names.length > 1 ? tasks : undefined;
  return {
    what: of.what,
    units: of.rows.length,
    groups: of.groups?.names.length ?? null,
    groupColumn: of.groups?.column ?? '',
    base: baseRate(of, o.confidenceLevel),
    measures,
    best,
    taskColumn: several?.column ?? '',
    tasks: several ? byTask(of, several, of.measures[best], outOfFold[best], o.confidenceLevel) : [],
    ...(several && fold ? { transfer: transfer(of.measures[best].values, of.correct, several, outOfFold[best], o) } : {}),
    notes,
  };
};

/** Spiess et al. 2025: can a confidence tell which generated code is correct, as it is and rescaled out of fold? */
export const generationConfidence: Diagnostic = defineStudy({
  id: 'generation-confidence',
  title: 'Generation confidence',
  family: 'calibration',
  question:
    'Does the confidence of a generative model say which of its outputs are correct, and from where on may they be accepted unread?',
  source: 'arXiv:2402.02047; card 48-correctness-calibration-generative-code',
  uses: ['columns'],
  options: generationOptions,
  study: ({ columns }, chosen, job) => study(columns, chosen, job),
  report: generationFindings,
});
