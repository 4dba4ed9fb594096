import { type Command, defineCommand } from '../define.ts';
import { t } from '../l10n.ts';
import { chooseData, chooseModel } from './subject.ts';

export const saliency: Command = defineCommand({
  id: 'assay.saliency',
  title: 'Saliency…',
  icon: '$(eye)',
  needsTrust: true,
  menus: {
    'explorer/context': { when: 'resourceExtname == .onnx && resourceScheme == file', group: '7_assay@2' },
    'view/item/context': { when: 'viewItem == model', group: 'inline@2', also: '1_open@3' },
  },
  async run(host, target) {
    const model = await chooseModel(host, t('Saliency'), target, false);
    if (!model || model === 'none') return;
    const data = await chooseData(host, t('Saliency'), target, model, []);
    if (!data || data === 'options') return;
    host.saliency({ model: model.ref, data: data.ref });
  },
});
