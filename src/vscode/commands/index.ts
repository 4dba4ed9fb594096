import type { Catalogue } from '../../base/catalogue.ts';
import type { Command } from '../define.ts';
import { arrangeRuns, showAllRuns } from './arrange-runs.ts';
import { createSuite } from './create-suite.ts';
import { installCuda, removeCuda } from './cuda.ts';
import { openData } from './data.ts';
import { diagnosticCommands, runDiagnostic } from './diagnose.ts';
import { addGate } from './gate.ts';
import { imageSaliency, lookAtSample, textSaliencyOptions, toggleTextSaliency } from './insight.ts';
import { keepFirstUnits } from './keep-units.ts';
import { gradientGraph, openModel } from './model.ts';
import { compareModelFiles, profileModel, revealFile, trainFurther } from './model-files.ts';
import { newRecipe } from './new-recipe.ts';
import { copyRunLink, revealRun } from './run-files.ts';
import { runSuite } from './run-suite.ts';
import { cancelRun, compareRuns, deleteRun, openCard, openRun, repeatRun, saveReport, showLog } from './runs.ts';
import { saliency } from './saliency.ts';
import { openSample, openWalkthrough } from './sample.ts';
import { overlayTraining, pauseTraining, resumeTraining, stopTraining } from './steer.ts';
import { compareTraining, train } from './train.ts';
import { generateVectors } from './vectors.ts';

/** Every command of the palette. */
export const commands = (catalogue: Catalogue): readonly Command[] => [
  ...diagnosticCommands(catalogue),
  saliency,
  toggleTextSaliency,
  textSaliencyOptions,
  imageSaliency,
  lookAtSample,
  openModel,
  openData,
  gradientGraph,
  compareModelFiles,
  profileModel,
  trainFurther,
  keepFirstUnits,
  revealFile,
  newRecipe,
  train,
  compareTraining,
  generateVectors,
  createSuite,
  runSuite,
  runDiagnostic,
  openRun,
  openCard,
  compareRuns,
  repeatRun,
  cancelRun,
  pauseTraining,
  resumeTraining,
  stopTraining,
  overlayTraining,
  deleteRun,
  saveReport,
  addGate,
  copyRunLink,
  revealRun,
  arrangeRuns,
  showAllRuns,
  openSample,
  openWalkthrough,
  showLog,
  installCuda,
  removeCuda,
];
