import { type Command, defineCommand } from '../define.ts';
import { t } from '../l10n.ts';

export const toggleTextSaliency: Command = defineCommand({
  id: 'assay.toggleTextSaliency',
  title: 'Toggle Saliency in Text',
  icon: '$(eye)',
  key: { key: 'ctrl+alt+h', when: 'editorTextFocus' },
  menus: { 'editor/context': { when: 'resourceExtname =~ /^\\.(csv|tsv|txt|md)$/i', group: 'z_assay@1' } },
  needsTrust: true,
  anywhere: true,
  run: (host) => host.insight.toggle(),
});

export const textSaliencyOptions: Command = defineCommand({
  id: 'assay.textSaliencyOptions',
  title: 'Choose Model, Class or Method of Saliency in Text…',
  needsTrust: true,
  run: (host) => host.insight.choose(),
});

export const imageSaliency: Command = defineCommand({
  id: 'assay.imageSaliency',
  title: 'Open Picture with Saliency',
  icon: '$(eye)',
  menus: {
    'explorer/context': { when: 'resourceExtname =~ /^\\.(png|jpe?g)$/i && resourceScheme == file', group: 'navigation@40' },
  },
  needsTrust: true,
  async run(host, { file }) {
    const path = file ?? (await host.open(t('Open Picture with Saliency'), { [t('Pictures')]: ['png', 'jpg', 'jpeg'] }));
    if (path !== undefined) await host.insight.picture(path);
  },
});

export const lookAtSample: Command = defineCommand({
  id: 'assay.lookAtSample',
  title: 'Open Sample in the Image Tab',
  palette: 'false',
  needsTrust: true,
  async run(host, { sample }) {
    if (sample) host.saliency(sample.subject, sample.place);
  },
});
