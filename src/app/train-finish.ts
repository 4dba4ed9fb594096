import { Fault } from '../base/fault.ts';
import type { State } from '../training/compile.ts';
import type { Ports } from './ports.ts';
import { evaluate } from './train-evaluate.ts';
import type { Course } from './train-journal.ts';
import type { Ended } from './train-loop.ts';
import { evaluatePlan, type RegimeEnd, runRegime } from './train-regime.ts';
import type { Scores } from './train-report.ts';
import type { Setup } from './train-setup.ts';

/** The parameters to keep (the best ones where asked), and what was measured of them. */
export const finish = async (setup: Setup, { snapshot }: Ended): Promise<{ readonly state: State; readonly scores: Scores }> => {
  const { recipe, run, test } = setup;
  const { progress, best } = snapshot;
  const restored = recipe.earlyStop?.restoreBest && best && progress.best ? { state: best, row: progress.best.row } : undefined;
  const state = restored?.state ?? snapshot.state;
  const last = progress.history.at(-1);
  const kept = restored?.row ?? last;
  const tested = test && (await evaluate(run, state, test));
  const scores = {
    trainLoss: last?.trainLoss,
    trainAccuracy: last?.trainAccuracy,
    validationLoss: kept?.valLoss,
    validationAccuracy: kept?.valAccuracy,
    testLoss: tested?.loss,
    testAccuracy: tested?.accuracy,
  };
  return { state, scores };
};

/** Runs the recipe's regime and measures what it ends with. */
export const finishRegime = async (
  setup: Setup,
  ports: Ports,
  course: Course,
): Promise<{ readonly left: RegimeEnd; readonly scores: Scores }> => {
  const left = await runRegime(setup, ports, course);
  const { ended } = left;
  if (!ended) return { left, scores: {} };
  const { test, validation } = setup;
  try {
    const measured = validation && (await evaluatePlan(setup, ended.plan, ended.state, validation, ports));
    const tested = test && (await evaluatePlan(setup, ended.plan, ended.state, test, ports));
    const scores = {
      validationLoss: measured?.loss,
      validationAccuracy: measured?.accuracy,
      testLoss: tested?.loss,
      testAccuracy: tested?.accuracy,
    };
    return { left, scores };
  } catch (error) {
    if (!Fault.is(error, 'job/stopped')) throw error;
    const { ended: _, ...stopped } = left;
    return { left: stopped, scores: {} };
  }
};
