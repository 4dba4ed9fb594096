import { type Command, defineCommand } from '../define.ts';
import { chooseModel } from './subject.ts';

export const openModel: Command = defineCommand({
  id: 'assay.openModel',
  title: 'Open Model…',
  icon: '$(type-hierarchy-sub)',
  menus: {
    'explorer/context': { when: 'resourceExtname == .onnx && resourceScheme == file', group: 'navigation@40' },
    'view/item/context': { when: 'viewItem == model', group: 'inline@3' },
  },
  async run(host, target) {
    const model = await chooseModel(host, 'Open Model', target, false);
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
    const title = 'Export Gradient Graph';
    const model = await chooseModel(host, title, target, false);
    if (!model || model === 'none') return;
    const of = await host.pick(title, 'Gradient of', [
      { label: 'Cross-entropy', value: 'cross-entropy', detail: 'Mean over the batch, against class numbers given as target.' },
      { label: 'Mean squared error', value: 'mse', detail: 'Against a target of the shape of the output.' },
      { label: 'Sum of the output', value: 'sum', detail: 'Sensitivity of the output itself.' },
    ]);
    if (!of) return;
    const wrt = await host.pick(title, 'With respect to', [
      { label: 'Inputs', value: 'inputs' },
      { label: 'Parameters', value: 'parameters' },
    ]);
    if (!wrt) return;
    const { path } = model.ref;
    const out = await host.save(title, path.replace(/(\.onnx)?$/, '.grad.onnx'), { 'ONNX models': ['onnx'] });
    if (out === undefined) return;
    const output = model.ref.output === undefined ? '' : `:${model.ref.output}`;
    await host.writeGradient({ model: path, out, of: `${of}${output}`, wrt: [wrt] });
  },
});
