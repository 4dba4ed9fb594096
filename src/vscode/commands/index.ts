import type { Catalogue } from '../../base/catalogue.ts';
import type { Command } from '../define.ts';
import { createSuite } from './create-suite.ts';
import { installCuda, removeCuda } from './cuda.ts';
import { openData } from './data.ts';
import { diagnosticCommands, runDiagnostic } from './diagnose.ts';
import { gradientGraph, openModel } from './model.ts';
import { runSuite } from './run-suite.ts';
import { cancelRun, compareRuns, deleteRun, openCard, openRun, repeatRun, saveReport, showLog } from './runs.ts';
import { saliency } from './saliency.ts';
import { train } from './train.ts';

/** Every command of the palette. */
export const commands = (catalogue: Catalogue): readonly Command[] => [
  ...diagnosticCommands(catalogue),
  saliency,
  openModel,
  openData,
  gradientGraph,
  train,
  createSuite,
  runSuite,
  runDiagnostic,
  openRun,
  openCard,
  compareRuns,
  repeatRun,
  cancelRun,
  deleteRun,
  saveReport,
  showLog,
  installCuda,
  removeCuda,
];
