import { type Catalogue, type CatalogueDiagnostic, comparesTwo } from '../../base/catalogue.ts';
import type { AgainstRef } from '../../base/request.ts';
import { type Command, defineCommand, type Host, type Menus, type Target } from '../define.ts';
import { spoken, t } from '../l10n.ts';
import { chooseOptions } from './options.ts';
import { calledIn, chooseData, chooseModel, type Named } from './subject.ts';

/** Names this surface needs for a command of its own: the picture in a tab is `assay.saliency`, the sheet of pictures its report. */
const renamed: Readonly<Record<string, Pick<Command, 'id' | 'title'>>> = {
  saliency: { id: 'assay.saliencyReport', title: 'Saliency Report' },
  'compare-models': { id: 'assay.compareModels', title: 'Compare Models…' },
};

const small = new Set(['a', 'an', 'and', 'by', 'for', 'in', 'of', 'on', 'or', 'the', 'to', 'under', 'vs', 'with']);
const titleCase = (text: string): string =>
  text.replace(/[^\s-]+/g, (word, at: number) => (at > 0 && small.has(word) ? word : word.charAt(0).toUpperCase() + word.slice(1)));
const camelCase = (id: string): string => id.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

export const commandOf = ({ id, title }: Pick<CatalogueDiagnostic, 'id' | 'title'>): Pick<Command, 'id' | 'title'> =>
  renamed[id] ?? { id: `assay.${camelCase(id)}`, title: titleCase(title) };

/** Where a diagnostic stands in menus besides the palette. */
const menus: Readonly<Record<string, Menus>> = {
  'generation-confidence': {
    'editor/title': { when: 'resourceExtname == .jsonl && resourceScheme == file', group: '1_assay@1' },
    'explorer/context': { when: 'resourceExtname == .jsonl && resourceScheme == file', group: '7_assay@1' },
  },
};

/** It reads columns of the data by name and has no use for a model. */
const modelless = ({ needs }: CatalogueDiagnostic): boolean => needs.every((need) => need === 'columns');

/** Asks for the model, or the table, to compare with. */
const chooseOther = async (host: Host, title: string, first: string): Promise<Named<AgainstRef> | undefined> => {
  const model = await chooseModel(host, title, {}, true, t("Model to compare '{0}' with", first));
  if (!model) return undefined;
  if (model !== 'none') return { name: model.name, ref: { model: model.ref } };
  const data = await chooseData(host, title, {}, 'none', []);
  return data && data !== 'options' ? { name: data.name, ref: { data: data.ref } } : undefined;
};

const withData = async (host: Host, title: string, { model }: AgainstRef): Promise<AgainstRef | undefined> => {
  const data = model && (await chooseData(host, title, {}, { name: model.path, ref: model }, []));
  return model && data && data !== 'options' ? { model, data: data.ref } : undefined;
};

/** Asks for what the target leaves open, then runs the diagnostic. */
const diagnose = async (host: Host, diagnostic: CatalogueDiagnostic, target: Target): Promise<void> => {
  const title = commandOf(diagnostic).title.replace(/…$/, '');
  // What is being written is read from the disk.
  if (target.file !== undefined) await host.edited();
  const model = modelless(diagnostic) ? 'none' : await chooseModel(host, title, target, !diagnostic.needsModel);
  if (!model) return;
  const set = Object.keys(diagnostic.options).length > 0;
  const asides = set ? [{ icon: 'settings-gear', tooltip: t('Set Options First'), value: 'options' as const }] : [];
  let data = await chooseData(host, title, target, model, asides);
  let options: Readonly<Record<string, unknown>> | undefined = {};
  if (data === 'options') {
    options = await chooseOptions(host, title, diagnostic.options, model === 'none' ? undefined : model.ref.path);
    data = options && (await chooseData(host, title, target, model, []));
  }
  if (!data || data === 'options' || !options) return;
  const suites = await host.suites();
  const { suite: home } = model === 'none' ? data : model;
  const first = calledIn(suites, model === 'none' ? data : model);
  const other = comparesTwo(diagnostic) ? await chooseOther(host, title, first) : undefined;
  if (comparesTwo(diagnostic) && !other) return;
  // A model compared with a table reads the rows itself.
  const against = other && (model === 'none' && other.ref.model ? await withData(host, title, other.ref) : other.ref);
  if (other && !against) return;
  await host.launch({
    task: 'run',
    title,
    subject: `${first}${other ? ` against ${other.suite === home ? other.name : calledIn(suites, other)}` : ''}${model === 'none' ? '' : ` on ${data.suite === home ? data.name : calledIn(suites, data)}`}`,
    ask: {
      id: diagnostic.id,
      ...(model === 'none' ? {} : { model: model.ref }),
      data: data.ref,
      ...(against ? { against } : {}),
      options,
      device: host.device,
      seed: host.seed,
    },
  });
};

/** One command per diagnostic of the catalogue. */
export const diagnosticCommands = ({ diagnostics }: Pick<Catalogue, 'diagnostics'>): readonly Command[] =>
  diagnostics.map((diagnostic) =>
    defineCommand({
      ...commandOf(diagnostic),
      needsTrust: true,
      ...(menus[diagnostic.id] ? { menus: menus[diagnostic.id] } : {}),
      run: (host, target) => diagnose(host, diagnostic, target),
    }),
  );

export const runDiagnostic: Command = defineCommand({
  id: 'assay.runDiagnostic',
  title: 'Run Diagnostic…',
  icon: '$(beaker)',
  needsTrust: true,
  menus: {
    'explorer/context': { when: 'resourceExtname == .onnx && resourceScheme == file', group: '7_assay@1' },
    'view/title': { when: 'view == assay.runs', group: 'navigation@1' },
    'view/item/context': { when: 'viewItem =~ /^(model|dataset)$/', group: 'inline@1', also: '1_open@2' },
  },
  async run(host, target) {
    const diagnostic = await host.pick(
      t('Run Diagnostic'),
      t('Diagnostic'),
      host.catalogue.diagnostics.map((d) => ({
        label: spoken(commandOf(d).title),
        detail: spoken(d.question),
        group: spoken(d.family),
        value: d,
      })),
    );
    if (diagnostic) await diagnose(host, diagnostic, target);
  },
});
