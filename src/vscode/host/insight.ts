import * as vscode from 'vscode';
import type { Supervisor } from '../../jobs/supervisor.ts';
import type { Attribution } from '../../report/tasks.ts';
import { codeLanguages } from '../contributions.ts';
import type { Choice, FileKinds, Host, Insight } from '../define.ts';
import { imageEditors } from '../editors/image.ts';
import { type Look, shadings } from '../editors/shading.ts';
import { type Chosen, chooseSubject, modelsFor, subjectFor } from '../insight/choose.ts';
import type { Content } from '../insight/fitting.ts';
import { classesOf } from '../insight/wording.ts';
import { t } from '../l10n.ts';
import { sampleHover } from '../lenses/sample-hover.ts';
import type { SaliencyForm } from '../methods.ts';
import type { SaliencyPanels } from '../panels/saliency.ts';

export interface InsightPorts {
  readonly form: SaliencyForm;
  readonly tabs: Pick<SaliencyPanels, 'adopt'>;
  jobs(): Pick<Supervisor, 'submit'>;
  readonly host: Host;
  failed(error: unknown): void;
}

/** What is remembered for a kind of content: the path of the model, and how it was asked. */
interface Remembered {
  readonly model: string;
  readonly method?: string;
  readonly tokenizer?: string;
}
const keyOf = (kind: Content['kind']): string => `assay.insight.${kind}`;

const tokenizerKinds = (): FileKinds => ({ [t('Tokenizers')]: ['json', 'txt'], [t('All files')]: ['*'] });
const withTokenizer = (chosen: Chosen, tokenizer: string | undefined): Chosen =>
  tokenizer === undefined
    ? chosen
    : {
        ...chosen,
        subject: { ...chosen.subject, data: { ...chosen.subject.data, preprocess: { ...chosen.subject.data.preprocess, tokenizer } } },
      };

/** Saliency in text, tables, pictures and code, over the one job process. */
export const openInsight = (
  { extensionUri: extension, workspaceState: memory }: Pick<vscode.ExtensionContext, 'extensionUri' | 'workspaceState'>,
  { form, tabs, jobs, host, failed }: InsightPorts,
): Insight & vscode.Disposable => {
  const choosing = {
    host,
    outline: (paths: readonly string[]) => (paths.length === 0 ? Promise.resolve([]) : jobs().submit('outline', { paths })),
  };
  const recall = (kind: Content['kind']): Remembered | undefined => memory.get<Remembered>(keyOf(kind));
  const remember = (kind: Content['kind'], what: Remembered): void => void memory.update(keyOf(kind), what);

  /** The model chosen last for this kind of content, if it is still there and can take it. */
  const before = async (content: Content, path: string): Promise<Chosen | undefined> => {
    const known = recall(content.kind);
    if (!known || !(await host.exists(known.model))) return undefined;
    const model = (await modelsFor(content, path, choosing)).find(({ ref }) => ref.path === known.model);
    const fallback = { name: host.label(known.model), ref: { path: known.model } };
    const chosen = await subjectFor(content, path, model ?? fallback, choosing);
    return chosen.subject.data.preprocess?.tokenizer === undefined ? withTokenizer(chosen, known.tokenizer) : chosen;
  };
  const [first] = form.methods;
  const keep = (content: Content, look: Look): Look => {
    const tokenizer = look.subject.data.preprocess?.tokenizer;
    const { path } = look.subject.model;
    remember(content.kind, { model: path, method: look.method, ...(tokenizer === undefined ? {} : { tokenizer }) });
    return look;
  };
  const title = t('Saliency in Text');

  const pickClass = async (a: Attribution | undefined): Promise<string | undefined> => {
    const predicted: Choice<string> = {
      label: t('Predicted class'),
      value: '',
      detail: t('Whichever the model says, as the text changes'),
    };
    const named = a
      ? classesOf(a).map(({ name, probability }): Choice<string> => ({ label: name, description: probability, value: name }))
      : [];
    return host.pick(title, t('Class whose score is attributed'), [predicted, ...named]);
  };
  const pickMethod = (): Promise<string | undefined> =>
    host.pick(
      title,
      t('Method'),
      form.methods.map(({ id, title: label, group }) => ({ label, value: id, group })),
    );

  const shading = shadings({
    methods: form.methods,
    attribute: ({ model, data, given, method, target }, signal) => {
      const { device, seed } = host;
      const ask = { model, data, method, position: 0, options: {}, device, seed };
      return jobs().submit('attribute', { ...ask, ...(given ? { given } : {}), ...(target === undefined ? {} : { target }) }, { signal });
    },
    async begin(content, path) {
      const chosen = (await before(content, path)) ?? (await chooseSubject(title, content, path, choosing));
      return chosen && keep(content, { ...chosen, method: recall(content.kind)?.method ?? first?.id ?? '' });
    },
    async change(content, path, look, seen) {
      const { data } = look.subject;
      const method = form.methods.find(({ id }) => id === look.method)?.title ?? look.method;
      const tokenizer = data.preprocess?.tokenizer;
      const what = await host.pick(title, t('What to change'), [
        { label: t('Model'), description: look.name, icon: 'circuit-board', value: 'model' as const },
        { label: t('Class'), description: look.target ?? t('predicted'), icon: 'tag', value: 'class' as const },
        { label: t('Method'), description: method, icon: 'settings', value: 'method' as const },
        {
          label: t('Tokenizer'),
          description: tokenizer === undefined ? t('tokenizer.json beside the model') : host.label(tokenizer),
          icon: 'symbol-string',
          value: 'tokenizer' as const,
        },
        { label: t('Turn Off'), icon: 'eye-closed', value: 'off' as const },
      ]);
      switch (what) {
        case undefined:
        case 'off':
          return what;
        case 'model': {
          const chosen = await chooseSubject(title, content, path, choosing, true);
          return chosen && keep(content, { ...chosen, method: look.method });
        }
        case 'class': {
          const target = await pickClass(seen);
          const { target: _, ...rest } = look;
          return target === undefined ? undefined : { ...rest, ...(target === '' ? {} : { target }) };
        }
        case 'method': {
          const chosen = await pickMethod();
          return chosen === undefined ? undefined : keep(content, { ...look, method: chosen });
        }
        case 'tokenizer': {
          const chosen = await host.open(t('Tokenizer'), tokenizerKinds());
          return chosen === undefined ? undefined : keep(content, { ...look, ...withTokenizer(look, chosen) });
        }
      }
    },
    failed,
  });

  const picture: Content = { kind: 'picture' };
  const images = imageEditors({
    extension,
    tabs,
    async choose(path, again) {
      const chosen =
        (again ? undefined : await before(picture, path)) ?? (await chooseSubject(t('Saliency of a Picture'), picture, path, choosing));
      if (chosen) remember('picture', { model: chosen.subject.model.path });
      return chosen?.subject;
    },
  });

  const hover = sampleHover({
    host,
    attribute(subject, place, signal) {
      const { device, seed } = host;
      const at = 'row' in place ? { position: 0, row: place.row } : place;
      return jobs().submit('attribute', { ...subject, ...at, method: first?.id ?? '', options: {}, device, seed }, { signal });
    },
    async forPicture(path) {
      const known = await before(picture, path);
      if (known) return known;
      const [model] = await modelsFor(picture, path, choosing);
      return model && subjectFor(picture, path, model, choosing);
    },
  });
  const hovers = vscode.languages.registerHoverProvider(
    codeLanguages.map((language) => ({ language })),
    hover,
  );

  return {
    toggle: () => shading.toggle(),
    choose: () => shading.choose(),
    picture: (path) => images.open(path),
    dispose: () => vscode.Disposable.from(shading, images, hovers).dispose(),
  };
};
