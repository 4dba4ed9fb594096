import type { Catalogue } from '../base/catalogue.ts';
import type { Check, DataRef, Device, ModelRef } from '../base/request.ts';
import type { CudaSupport } from '../jobs/cuda/support.ts';
import type { RunRecord } from '../jobs/store.ts';
import type { Steer, TaskName, Tasks } from '../report/tasks.ts';
import type { RunsShown } from './order-runs.ts';
import type { Entry } from './suite.ts';
import type { Milestone } from './walkthrough.ts';

/** An `assay.json` of the workspace. Paths inside it are relative to its folder. */
export interface SuiteFile {
  readonly path: string;
  /** As the user knows it: relative to the workspace folder, with the folder's name where there are several. */
  readonly label: string;
  readonly models: readonly Entry<ModelRef>[];
  readonly datasets: readonly Entry<DataRef>[];
  readonly checks: readonly Entry<Check>[];
}

/** What a command was invoked on: a file in the explorer, an entry of `assay.json`, a run in the Runs view. */
export interface Target {
  readonly file?: string;
  /** All files chosen in the explorer, or those of all entries chosen in a view. */
  readonly files?: readonly string[];
  readonly suite?: string;
  readonly model?: string;
  readonly data?: string;
  readonly check?: string;
  readonly runs?: readonly string[];
  /** Hidden units to keep. */
  readonly units?: number;
  /** `REPORT:CARD`: the report by its place (zero-based) or the id of its diagnostic, the card by its place or its title in small letters with hyphens. */
  readonly focus?: string;
  /** Address of a file that is not on a disk of this machine: most commands refuse it. */
  readonly elsewhere?: string;
  /** One sample with a model, for the image tab. */
  readonly sample?: { readonly subject: SaliencySubject; readonly place: Place };
}

export interface Choice<T> {
  readonly label: string;
  readonly value: T;
  readonly description?: string;
  readonly detail?: string;
  /** Codicon, e.g. `beaker`. */
  readonly icon?: string;
  /** Choices of one group stand together under its name. */
  readonly group?: string;
}
/** A second way out of a question, shown as a button in its title. */
export interface Aside<T> {
  readonly icon: string;
  readonly tooltip: string;
  readonly value: T;
}
export interface FileKinds {
  readonly [title: string]: readonly string[];
}

/** The tasks that leave a run behind, and what each was asked. */
export type RunTask = Extract<TaskName, 'run' | 'suite' | 'train' | 'compare'>;
export type Launch = {
  readonly [T in RunTask]: { readonly task: T; readonly title: string; readonly subject: string; readonly ask: Tasks[T]['ask'] };
}[RunTask];

/** A card of a kept run, and how a link names it. */
export interface CardEntry {
  readonly report: string;
  readonly title: string;
  readonly focus: string;
}

export interface SaliencySubject {
  readonly model: ModelRef;
  readonly data: DataRef;
}
/** A sample: a position of the split, or a dataset row as cards name it. */
export type Place = { readonly position: number } | { readonly row: number };

/** Saliency of what is open in an editor. */
export interface Insight {
  /** Shades the text or table in the active editor, or no longer. */
  toggle(): Promise<void>;
  /** Lets the user choose model, class and method of what is shaded. */
  choose(): Promise<void>;
  /** Opens a picture file with its saliency, by a model that is asked for where several can take it. */
  picture(path: string): Promise<void>;
}

/** All that a command may do to the editor and the world. */
export interface Host {
  readonly catalogue: Catalogue;
  readonly device: Device;
  readonly seed: number;
  suites(): Promise<readonly SuiteFile[]>;
  /** Files of the workspace, by glob. */
  find(glob: string): Promise<readonly string[]>;
  exists(path: string): Promise<boolean>;
  /** The file in the active text editor, saved where it was changed; undefined where none is on disk. */
  edited(): Promise<string | undefined>;
  /** A path as the user knows it. */
  label(path: string): string;
  /** One of several; undefined when dismissed. */
  pick<T>(title: string, placeholder: string, choices: readonly Choice<T>[], asides?: readonly Aside<T>[]): Promise<T | undefined>;
  /** A line of text; `check` says what is wrong with it, or nothing. */
  text(title: string, prompt: string, value: string, check: (value: string) => string | undefined): Promise<string | undefined>;
  open(title: string, kinds: FileKinds | 'folder'): Promise<string | undefined>;
  save(title: string, path: string, kinds: FileKinds): Promise<string | undefined>;
  /** A modal question before something is lost. */
  confirm(sentence: string, action: string): Promise<boolean>;
  /** Folders of the workspace that lie on a disk. */
  folders(): readonly { readonly name: string; readonly path: string }[];
  /** An `assay.json` for files that were found; undefined where models may not be opened. */
  draft(ask: Tasks['draft']['ask']): Promise<Tasks['draft']['give'] | undefined>;
  /** Writes a file that is not there yet; false where it is. */
  create(path: string, text: string): Promise<boolean>;
  /** Shows a text file. */
  show(path: string): Promise<void>;
  /** One sentence, with things to do about it: the one that was chosen. */
  say(sentence: string, ...actions: readonly string[]): Promise<string | undefined>;
  /** Another command, on a target. */
  execute(id: Command['id'], target?: Target): Promise<void>;
  /** Shows a bar, by which the work can be stopped, until it has ended. */
  working<T>(title: string, work: (report: (fraction: number, text: string) => void, signal: AbortSignal) => Promise<T>): Promise<T>;
  /** ONNX Runtime's CUDA libraries, which are fetched on demand. */
  readonly cuda: CudaSupport;
  devices(): Promise<Tasks['devices']['give']>;
  /** Later jobs find devices anew. */
  renewJobs(): void;
  /** Hands the work to the job process and shows it in a report panel; returns when it has ended. */
  launch(work: Launch): Promise<void>;
  /** Opens the image tab, at the first sample where no other is named. */
  saliency(subject: SaliencySubject, place?: Place): void;
  readonly insight: Insight;
  /** Opens the model editor. */
  showModel(path: string): Promise<void>;
  /** Opens the data editor. */
  showData(data: DataRef): Promise<void>;
  /** Opens the differences of two model files. */
  compareFiles(first: string, other: string): void;
  /** Opens the model editor and times its layers on rows of the data. */
  profileModel(model: ModelRef, data: DataRef): Promise<void>;
  /** Writes the gradients of a model as a graph of their own. */
  writeGradient(ask: Tasks['grad']['ask']): Promise<void>;
  /** Writes a model with the first units of its boosted head, and shows it if asked. */
  keepUnits(ask: Tasks['keepUnits']['ask']): Promise<void>;
  /** Writes unit vectors for the head `ebv`. */
  writeVectors(ask: Tasks['vectors']['ask']): Promise<void>;
  runs(): Promise<readonly RunRecord[]>;
  /** The run whose panel has the focus. */
  shownRun(): string | undefined;
  /** The file with the reports of a run that is done. */
  runFile(id: string): string;
  /** Opens or brings forward the report panel of a run, at a card if `focus` (as of a Target) names one. */
  showRun(id: string, focus?: string): Promise<void>;
  /** The cards of a run that is done. */
  cardsOf(id: string): Promise<readonly CardEntry[]>;
  repeatRun(id: string): Promise<void>;
  cancelRun(id: string): void;
  /** A training of this window that can be paused, and stopped to be kept. */
  trainingOf(id: string): 'going' | 'paused' | undefined;
  steerRun(id: string, steer: Steer): void;
  /** Draws the curves of another training behind those of this one, in its panel. */
  overlayRun(id: string, other: string): Promise<void>;
  deleteRun(id: string): Promise<void>;
  saveHtml(id: string): Promise<void>;
  copyRunLink(id: string): Promise<void>;
  runsShown(): RunsShown;
  showRuns(next: RunsShown): void;
  /** Shows a file among others: in the explorer of the window, or where it is outside of it in that of the system. */
  reveal(path: string): Promise<void>;
  /** Writes a text file and opens it. */
  writeText(path: string, text: string): Promise<void>;
  /** Changes a text file as an edit of its editor, saved. */
  rewrite(path: string, change: (text: string) => string): Promise<void>;
  /** The folder of the workspace, where it holds nothing yet. */
  emptyFolder(): Promise<string | undefined>;
  /** Copies the sample workspace and opens it. */
  layOutSample(folder: string): Promise<void>;
  openWalkthrough(): Promise<void>;
  /** A step of the walkthrough is done. */
  reached(milestone: Milestone): void;
  showLog(): void;
}

/** Menu of VS Code → where the command stands in it; `also` is a second group, as the icons of a row are not in its context menu. */
export type Menus = Readonly<Record<string, { readonly when: string; readonly group?: string; readonly also?: string }>>;

/** A key, on macOS another, and where it counts. */
export interface Key {
  readonly key: string;
  readonly mac?: string;
  readonly when: string;
}

/** A command of the palette. package.json's `commands` and `menus` are generated from these. */
export interface Command {
  readonly id: `assay.${string}`;
  readonly title: string;
  readonly icon?: `$(${string})`;
  /** It runs a model: refused, with a sentence and a way out, where the workspace is not trusted. */
  readonly needsTrust?: true;
  /** It works on the text of the editor, wherever its file lies. */
  readonly anywhere?: true;
  readonly enablement?: string;
  readonly menus?: Menus;
  /** A when clause for the palette; `false` hides it there. */
  readonly palette?: string;
  readonly key?: Key;
  run(host: Host, target: Target): Promise<void>;
}

export const defineCommand = (command: Command): Command => command;
