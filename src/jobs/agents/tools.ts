import { basename, resolve } from 'node:path';
import type { CatalogueDiagnostic } from '../../base/catalogue.ts';
import { Fault } from '../../base/fault.ts';
import { nearest } from '../../base/nearest.ts';
import type { DataRef, ModelRef, RunRequest } from '../../base/request.ts';
import type { TrainRequest } from '../../report/tasks.ts';
import { attributionAnswer, modelAnswer, reportAnswer } from './answer.ts';
import { costOf } from './cost.ts';
import { type AgentPorts, type AgentTool, defineTool, type Prepared } from './define.ts';
import { dataFields, dataOf, deviceFields, deviceOf, modelFields, modelHelp, modelOf, outOf, seedFields } from './subject.ts';

const found = ({ diagnostics }: AgentPorts['catalogue'], id: string): CatalogueDiagnostic => {
  const known = diagnostics.map((d) => d.id);
  const one = diagnostics.find((d) => d.id === id);
  if (!one) throw new Fault('id/unknown', { what: 'diagnostic', id, nearest: nearest(id, known), known });
  return one;
};

const filesOf = (refs: readonly (ModelRef | DataRef | undefined)[]): string[] => [
  ...new Set(refs.flatMap((ref) => (ref ? [ref.path] : []))),
];

/** One diagnostic on its subject: asked for by its id, or as a comparison. */
const diagnosis = (
  diagnostic: CatalogueDiagnostic,
  ask: RunRequest,
  subject: string,
  writes: readonly string[],
  ports: AgentPorts,
): Prepared => {
  const models = [ask.model, ask.against?.model].flatMap((model) => (model ? [model] : []));
  const same = (request: unknown): boolean => {
    const earlier = request as RunRequest;
    return earlier.id === ask.id && earlier.model?.path === ask.model?.path && earlier.data.path === ask.data.path;
  };
  return {
    title: `${diagnostic.title}: ${subject}`,
    reads: filesOf([...models, ask.data, ask.against?.data]),
    writes,
    ...(models.length > 0 ? { device: ask.device } : {}),
    cost: async (signal) => costOf({ models, data: ask.data }, ports, await ports.lastSeconds('run', same), signal, ask.limit),
    async run(watch) {
      const about = { kind: 'run', title: diagnostic.title, subject, request: ask } as const;
      const { id, result } = await ports.keep(about, watch, async (w) => ({ reports: [await ports.jobs.submit('run', ask, w)] }));
      return reportAnswer(result.reports[0], id, await ports.files(id, result));
    },
  };
};

const limitFields = { limit: { kind: 'whole', min: 1, help: 'At most the first so many rows.' } } as const;
const overwriteFields = {
  overwrite: { kind: 'flag', help: 'A file that is there may be written over; otherwise that is refused.' },
} as const;

/** The tools, the same for VS Code's language models and for MCP: one definition each. */
export const agentTools = (catalogue: AgentPorts['catalogue']): readonly AgentTool[] => {
  const method = catalogue.diagnostics.find(({ id }) => id === 'saliency')?.options.method;
  const methods = method?.kind === 'choice' ? method : undefined;
  return [
    defineTool({
      name: 'inspect_model',
      title: 'Inspect Model',
      icon: '$(type-hierarchy-sub)',
      readOnly: true,
      summary: 'Reads an ONNX file: inputs, outputs, operators, parameters, and which nodes have no gradient.',
      description:
        'Reads an ONNX model file without running it. Gives inputs and outputs with dtype and shape, operators, number of parameters, multiply–accumulates a row, and which nodes no gradient passes and why. Use it before other tools to learn names of inputs and outputs.',
      fields: { model: { kind: 'text', required: true, help: modelHelp } },
      async prepare(given, ports) {
        const { name, ref } = await modelOf(given.model, { input: undefined, output: undefined, classes: undefined }, ports);
        return {
          title: `Inspect ${name}`,
          reads: [ref.path],
          writes: [],
          cost: (signal) => costOf({ models: [ref] }, ports, undefined, signal),
          run: async (watch) => modelAnswer(await ports.jobs.submit('info', { model: ref }, watch)),
        };
      },
    }),
    defineTool({
      name: 'run_diagnostic',
      title: 'Run Diagnostic',
      icon: '$(beaker)',
      readOnly: false,
      summary: 'Runs a diagnostic of a model on labelled data (calibration, confusion, attribution and more) and keeps its report.',
      description: `Runs one diagnostic of an ONNX model on labelled data on this machine and keeps the report. Gives headline numbers with confidence intervals, how to read them, and the path of the whole report as JSON. Without a model the data must be a table of predictions (columns label and prob_<class> or logit_<class>). Large data can take minutes: limit takes the first rows. Diagnostics: ${catalogue.diagnostics.map((d) => `${d.id} (${d.question})`).join(' ')}`,
      fields: {
        diagnostic: { kind: 'text', required: true, of: catalogue.diagnostics.map((d) => d.id), help: 'Id of the diagnostic.' },
        model: { kind: 'text', help: `${modelHelp} Left out where the data is a table of predictions.` },
        ...dataFields,
        against: { kind: 'text', help: 'For diagnostics that compare two: the other model, or a table of predictions.' },
        options: {
          kind: 'record',
          help: 'Options of the diagnostic by name; what is left out has its default. An unknown one is refused with those there are.',
        },
        ...modelFields,
        ...limitFields,
        ...deviceFields,
        ...seedFields,
        ...overwriteFields,
      },
      async prepare(given, ports) {
        const diagnostic = found(ports.catalogue, given.diagnostic);
        const model = given.model === undefined ? undefined : await modelOf(given.model, given, ports);
        const data = await dataOf(given, ports);
        const other =
          given.against === undefined
            ? undefined
            : /\.onnx$/i.test(given.against)
              ? { model: (await modelOf(given.against, given, ports)).ref }
              : await modelOf(given.against, given, ports).then(
                  ({ ref }) => (/\.onnx$/i.test(ref.path) ? { model: ref } : { data: { path: ref.path } }),
                  async () => ({ data: (await dataOf({ ...given, data: given.against ?? '' }, ports)).ref }),
                );
        const options: Record<string, unknown> = { ...given.options };
        const writes: string[] = [];
        for (const [name, option] of Object.entries(diagnostic.options)) {
          if (option.kind !== 'text' || option.writes === undefined || typeof options[name] !== 'string' || options[name] === '') continue;
          options[name] = await outOf(options[name], filesOf([model?.ref, data.ref]), given.overwrite, ports.folder);
          writes.push(String(options[name]));
        }
        const ask: RunRequest = {
          id: diagnostic.id,
          ...(model ? { model: model.ref } : {}),
          data: data.ref,
          ...(other ? { against: other } : {}),
          options,
          device: deviceOf(given, ports),
          seed: given.seed ?? ports.seed,
          ...(given.limit === undefined ? {} : { limit: given.limit }),
        };
        return diagnosis(diagnostic, ask, model ? `${model.name} on ${data.name}` : data.name, writes, ports);
      },
    }),
    defineTool({
      name: 'explain_prediction',
      title: 'Explain Prediction',
      icon: '$(eye)',
      readOnly: true,
      summary: 'Says which inputs of one row speak for or against a class.',
      description:
        'Attributes the score of one row of a dataset to its inputs (pixels, words, columns) by gradients of the model. Gives the prediction with its probabilities and the inputs that matter most with signed values. Writes nothing.',
      fields: {
        model: { kind: 'text', required: true, help: modelHelp },
        ...dataFields,
        row: { kind: 'whole', min: 0, help: 'Row of the data, from 0, as reports name it; the first of the split where absent.' },
        method: {
          kind: 'text',
          ...(methods ? { of: methods.of } : {}),
          help: `Attribution method; ${methods?.default ?? 'integrated-gradients'} where absent.`,
        },
        target: { kind: 'text', help: 'Class, by name or number; the predicted one where absent.' },
        ...modelFields,
        ...deviceFields,
        ...seedFields,
      },
      async prepare(given, ports) {
        const model = await modelOf(given.model, given, ports);
        const data = await dataOf(given, ports);
        const device = deviceOf(given, ports);
        const { target } = given;
        const ask = {
          model: model.ref,
          data: data.ref,
          device,
          seed: given.seed ?? ports.seed,
          position: 0,
          ...(given.row === undefined ? {} : { row: given.row }),
          method: given.method ?? methods?.default ?? 'integrated-gradients',
          ...(target === undefined ? {} : { target: /^\d+$/.test(target) ? Number(target) : target }),
          options: {},
        };
        return {
          title: `Explain ${given.row === undefined ? 'the first row' : `row ${given.row}`} of ${data.name} by ${model.name}`,
          reads: filesOf([model.ref, data.ref]),
          writes: [],
          device,
          cost: (signal) => costOf({ models: [model.ref], data: data.ref }, ports, undefined, signal, 1),
          run: async (watch) => attributionAnswer(await ports.jobs.submit('attribute', ask, watch), data.name),
        };
      },
    }),
    defineTool({
      name: 'compare_models',
      title: 'Compare Models',
      icon: '$(diff)',
      readOnly: false,
      summary: 'Compares two models on the same rows, with intervals and a test, and keeps the report.',
      description:
        'Runs two ONNX models on the same labelled rows. Gives the difference of their accuracies and losses, or of their errors where they predict numbers (first less second), with confidence intervals, a test row by row, and where they differ; keeps the report as JSON.',
      fields: {
        model: { kind: 'text', required: true, help: modelHelp },
        against: { kind: 'text', required: true, help: `The other one. ${modelHelp}` },
        ...dataFields,
        ...modelFields,
        ...limitFields,
        ...deviceFields,
        ...seedFields,
      },
      async prepare(given, ports) {
        const diagnostic = found(ports.catalogue, 'compare-models');
        const [model, other, data] = [
          await modelOf(given.model, given, ports),
          await modelOf(given.against, given, ports),
          await dataOf(given, ports),
        ];
        const ask: RunRequest = {
          id: diagnostic.id,
          model: model.ref,
          data: data.ref,
          against: { model: other.ref },
          options: {},
          device: deviceOf(given, ports),
          seed: given.seed ?? ports.seed,
          ...(given.limit === undefined ? {} : { limit: given.limit }),
        };
        return diagnosis(diagnostic, ask, `${model.name} against ${other.name} on ${data.name}`, [], ports);
      },
    }),
    defineTool({
      name: 'train_model',
      title: 'Train Model',
      icon: '$(mortar-board)',
      readOnly: false,
      summary: 'Trains the model of a recipe on this machine and writes it as ONNX.',
      description:
        'Trains the model of a recipe file (*.train.json: architecture or .onnx to go on from, data, loss, optimizer, epochs) on this machine and writes the trained model as ONNX, with a report of its curves and its accuracy on held-out rows. Can take minutes to hours. A file that is there is not written over unless overwrite is true.',
      fields: {
        recipe: { kind: 'text', required: true, help: 'Path of the recipe.' },
        out: { kind: 'text', required: true, help: 'Path of the .onnx file to write.' },
        resume: { kind: 'flag', help: 'Goes on from the last checkpoint beside the file to write.' },
        ...overwriteFields,
        ...deviceFields,
      },
      async prepare(given, ports) {
        if (!/\.onnx$/i.test(given.out))
          throw new Fault('option/value', { name: 'out', value: given.out, expected: 'the path of an .onnx file' });
        const recipe = resolve(ports.folder, given.recipe);
        const out = await outOf(given.out, [recipe], given.overwrite || given.resume, ports.folder);
        const device = deviceOf(given, ports);
        const ask: TrainRequest = { recipe, out, device, resume: given.resume ?? false, force: false };
        const { reads } = await ports.jobs.submit('cost', { recipe });
        const stem = out.replace(/\.onnx$/i, '');
        return {
          title: `Train ${basename(out)} by ${basename(recipe)}`,
          reads,
          writes: [out, `${stem}.checkpoint.onnx`, `${stem}.checkpoint.state`],
          device,
          cost: async (signal) =>
            costOf({ recipe }, ports, await ports.lastSeconds('train', (request) => (request as TrainRequest).recipe === recipe), signal),
          async run(watch) {
            const about = { kind: 'train', title: `Train ${basename(out)}`, subject: basename(recipe), request: ask } as const;
            const { id, result } = await ports.keep(about, watch, async (w) => {
              const { report, out: written } = await ports.jobs.submit('train', ask, w);
              return { reports: [report], out: written };
            });
            return reportAnswer(result.reports[0], id, await ports.files(id, result));
          },
        };
      },
    }),
  ];
};
