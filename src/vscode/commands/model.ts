import { type Command, defineCommand } from '../define.ts';
import { t } from '../l10n.ts';
import { chooseModel } from './subject.ts';

export const openModel: Command = defineCommand({
  id: 'assay.openModel',
  title: 'Open Model…',
  icon: '$(type-hierarchy-sub)',
  menus: {
    'explorer/context': { when: 'resourceExtname == .onnx && resourceScheme == file', group: 'navigation@40' },
    'view/item/context': { when: 'viewItem == model', group: 'inline@3', also: '1_open@1' },
  },
  async run(host, target) {
    const model = await chooseModel(host, t('Open Model'), target, false);
    if (model && model !== 'none') await host.showModel(model.ref.path);
  },
});

export const gradientGraph: Command = defineCommand({
  id: 'assay.gradientGraph',
  title: 'Export Gradient Graph…',
  needsTrust: true,
  menus: {
    'explorer/context': { when: 'resourceExtname == .onnx && resourceScheme == file', group: '7_assay@3' },
    'view/item/context': { when: 'view == assay.models && viewItem == model', group: '2_model@2' },
  },
  async run(host, target) {
    const title = t('Export Gradient Graph');
    const model = await chooseModel(host, title, target, false);
    if (!model || model === 'none') return;
    const of = await host.pick(title, t('Gradient of'), [
      { label: t('Cross-entropy'), value: 'cross-entropy', detail: t('Mean over the batch, against class numbers given as target.') },
      { label: t('Mean squared error'), value: 'mse', detail: t('Against a target of the shape of the output.') },
      { label: t('Sum of the output'), value: 'sum', detail: t('Sensitivity of the output itself.') },
    ]);
    if (!of) return;
    const wrt = await host.pick(title, t('With respect to'), [
      { label: t('Inputs'), value: 'inputs' },
      { label: t('Parameters'), value: 'parameters' },
    ]);
    if (!wrt) return;
    const { path } = model.ref;
    const out = await host.save(title, path.replace(/(\.onnx)?$/, '.grad.onnx'), { [t('ONNX models')]: ['onnx'] });
    if (out === undefined) return;
    const output = model.ref.output === undefined ? '' : `:${model.ref.output}`;
    await host.writeGradient({ model: path, out, of: `${of}${output}`, wrt: [wrt] });
  },
});
