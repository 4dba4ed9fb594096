import type { Command, Key } from './define.ts';
import { walkthroughs } from './walkthrough.ts';

interface Setting {
  readonly type: 'string' | 'integer';
  readonly default: string | number;
  readonly description: string;
  readonly scope: 'machine-overridable' | 'resource' | 'window';
  readonly enum?: readonly string[];
  readonly enumDescriptions?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Settings are few: options of a diagnostic live in `assay.json`. */
const settings: Readonly<Record<`assay.${string}`, Setting>> = {
  'assay.device': {
    type: 'string',
    default: 'auto',
    enum: ['auto', 'cpu', 'cuda', 'webgpu', 'dml', 'coreml'],
    enumDescriptions: [
      'The fastest device that agrees with the CPU.',
      'The processor.',
      'An NVIDIA GPU through CUDA.',
      'Any GPU through WebGPU.',
      'Any GPU through DirectML (Windows).',
      'Core ML (macOS).',
    ],
    description: 'Where models run. Every report says which device was used, and why.',
    scope: 'machine-overridable',
  },
  'assay.seed': {
    type: 'integer',
    default: 0,
    minimum: 0,
    maximum: 4294967295,
    description: 'Seed of every random draw of a diagnostic. The same seed gives the same report.',
    scope: 'resource',
  },
};

/** A file that names runs to open when the workspace is: `npm start` leaves it, the extension takes it away. */
export const openOnStart = '.assay/open.json';

/** Ids shared by package.json and the code that fills the views and panels. */
export const views = { runs: 'assay.runs', models: 'assay.models', datasets: 'assay.datasets' } as const;
export const editors = { model: 'assay.model', data: 'assay.data', image: 'assay.image' } as const;
/** True while the text in the active editor is shaded. */
export const contexts = { shaded: 'assay.textSaliency' } as const;
export const panels = { report: 'assay.report', saliency: 'assay.saliency', data: 'assay.dataset', diff: 'assay.diff' } as const;

/** How the names of data files end; a test compares them with what readers know. */
export const dataEndings: readonly string[] = [
  '.npz',
  '.npy',
  '.parquet',
  '.idx',
  '.idx.gz',
  '-ubyte',
  '-ubyte.gz',
  '.csv',
  '.csv.gz',
  '.tsv',
  '.tsv.gz',
  '.jsonl',
  '.jsonl.gz',
  '.ndjson',
  '.ndjson.gz',
];
/** The same as a when clause. */
export const isDataFile: string = `resourceFilename =~ /(${dataEndings.map((ending) => ending.replaceAll('.', '\\.')).join('|')})$/i`;

/** Languages of code that names samples; cells of notebooks are documents of them. */
export const codeLanguages: readonly string[] = ['python', 'typescript', 'javascript', 'typescriptreact', 'javascriptreact'];

export const activationEvents: readonly string[] = [
  'onLanguage:json',
  'onLanguage:jsonc',
  // Tests, problems and lenses of code, only where there is something to say.
  'workspaceContains:**/assay.json',
  'workspaceContains:*.onnx',
  'workspaceContains:*/*.onnx',
  `workspaceContains:${openOnStart}`,
  ...Object.values(panels).map((panel) => `onWebviewPanel:${panel}`),
  'onUri',
];

export const capabilities = {
  untrustedWorkspaces: {
    supported: 'limited',
    description:
      'Earlier reports can be read. Running a model needs a trusted workspace: model files can name other files and make large allocations.',
  },
  virtualWorkspaces: {
    supported: 'limited',
    description:
      'Models, data and assay.json must be files on a disk: of folders elsewhere nothing is listed or run. Text that is open can be shaded by a model on a disk.',
  },
} as const;

interface View {
  readonly id: string;
  readonly name: string;
  readonly icon: string;
}
interface Contributes {
  readonly viewsContainers: { readonly activitybar: readonly { readonly id: string; readonly title: string; readonly icon: string }[] };
  readonly views: Readonly<Record<string, readonly View[]>>;
  readonly customEditors: readonly {
    readonly viewType: string;
    readonly displayName: string;
    readonly selector: readonly { readonly filenamePattern: string }[];
    readonly priority: 'option' | 'default';
  }[];
  readonly viewsWelcome: readonly { readonly view: string; readonly contents: string; readonly when?: string }[];
  readonly languages: readonly { readonly id: string; readonly filenames: readonly string[] }[];
  readonly walkthroughs: typeof walkthroughs;
  readonly jsonValidation: readonly { readonly fileMatch: string; readonly url: string }[];
  readonly configuration: { readonly title: string; readonly properties: Readonly<Record<string, Setting>> };
}

/** The context in which it is known what a view lists. */
export const listed = (view: string): string => `${view}.listed`;
/** The context in which a view lists something. */
export const filled = (view: string): string => `${view}.filled`;

/** `contributes` of package.json, apart from commands and menus. */
export const contributes: Contributes = {
  viewsContainers: { activitybar: [{ id: 'assay', title: 'Assay', icon: 'media/assay.svg' }] },
  views: {
    assay: [
      { id: views.runs, name: 'Runs', icon: 'media/assay.svg' },
      { id: views.models, name: 'Models', icon: 'media/assay.svg' },
      { id: views.datasets, name: 'Datasets', icon: 'media/assay.svg' },
    ],
  },
  viewsWelcome: [
    {
      view: views.runs,
      when: `${listed(views.runs)} && isWorkspaceTrusted && !${filled(views.models)}`,
      contents: 'Reports of diagnostics and training runs are kept here.',
    },
    {
      view: views.runs,
      when: `${listed(views.runs)} && isWorkspaceTrusted && ${filled(views.models)}`,
      contents: 'Reports of diagnostics and training runs are kept here.\n[Run a Diagnostic](command:assay.runDiagnostic)',
    },
    {
      view: views.runs,
      when: `${listed(views.runs)} && !isWorkspaceTrusted`,
      contents: 'Running a model needs a trusted workspace.\n[Manage Workspace Trust](command:workbench.trust.manage)',
    },
    {
      view: views.models,
      when: `${listed(views.models)} && virtualWorkspace`,
      contents:
        'This folder is not on a disk of this machine: its models cannot be listed or run.\n[Open Model…](command:assay.openModel)\nOr copy the folder to a disk and open it there.',
    },
    {
      view: views.models,
      when: `${listed(views.models)} && !virtualWorkspace`,
      contents:
        'ONNX models of the workspace are listed here.\n[Open Sample Workspace](command:assay.openSample)\nOr [follow five steps](command:assay.openWalkthrough) from a sample to a gated model.',
    },
    {
      view: views.datasets,
      when: `${listed(views.datasets)} && !virtualWorkspace`,
      contents: 'Arrays, tables and JSON lines of the workspace are listed here, and what an assay.json names.',
    },
  ],
  walkthroughs,
  // Comments and trailing commas may stand in it.
  languages: [{ id: 'jsonc', filenames: ['assay.json'] }],
  customEditors: [
    { viewType: editors.model, displayName: 'Assay Model', selector: [{ filenamePattern: '*.onnx' }], priority: 'option' },
    {
      viewType: editors.data,
      displayName: 'Assay Data',
      selector: dataEndings.map((ending) => ({ filenamePattern: `*${ending}` })),
      priority: 'option',
    },
    {
      viewType: editors.image,
      displayName: 'Assay Saliency',
      selector: ['png', 'jpg', 'jpeg'].map((ending) => ({ filenamePattern: `*.${ending}` })),
      priority: 'option',
    },
  ],
  jsonValidation: [
    { fileMatch: 'assay.json', url: './media/schemas/assay.schema.json' },
    { fileMatch: '*.train.json', url: './media/schemas/recipe.schema.json' },
  ],
  configuration: { title: 'Assay', properties: settings },
};

interface MenuItem {
  readonly command: string;
  readonly when: string;
  readonly group?: string;
}

/** `commands`, `menus` and `keybindings` of package.json. */
export const commandContributions = (
  commands: readonly Command[],
): {
  readonly commands: readonly object[];
  readonly menus: Readonly<Record<string, readonly MenuItem[]>>;
  readonly keybindings: readonly (Key & { readonly command: string })[];
} => {
  const menus: Record<string, MenuItem[]> = {};
  const place = (menu: string, item: MenuItem): void => {
    menus[menu] = [...(menus[menu] ?? []), item];
  };
  for (const { id, menus: places, palette } of commands) {
    if (palette !== undefined) place('commandPalette', { command: id, when: palette });
    for (const [menu, { also, ...item }] of Object.entries(places ?? {})) {
      place(menu, { command: id, ...item });
      if (also !== undefined) place(menu, { command: id, when: item.when, group: also });
    }
  }
  return {
    commands: commands.map(({ id, title, icon, enablement }) => ({
      command: id,
      title,
      category: 'Assay',
      ...(icon === undefined ? {} : { icon }),
      ...(enablement === undefined ? {} : { enablement }),
    })),
    menus,
    keybindings: commands.flatMap(({ id, key }) => (key ? [{ command: id, ...key }] : [])),
  };
};
