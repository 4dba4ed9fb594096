import { type Command, defineCommand } from '../define.ts';
import { t } from '../l10n.ts';
import { chooseModel } from './subject.ts';

/** Of a model with a boosted head, whose first units are a model of their own; the report of its training asks with their number. */
export const keepFirstUnits: Command = defineCommand({
  id: 'assay.keepFirstUnits',
  title: 'Keep First Units…',
  needsTrust: true,
  menus: {
    'explorer/context': { when: 'resourceExtname == .onnx && resourceScheme == file', group: '7_assay@7' },
    'view/item/context': { when: 'view == assay.models && viewItem == model', group: '2_model@5' },
  },
  async run(host, target) {
    const title = t('Keep First Units');
    const model = await chooseModel(host, title, target, false);
    if (!model || model === 'none') return;
    const { path } = model.ref;
    const whole = (text: string): boolean => /^[1-9]\d*$/.test(text.trim());
    const given =
      target.units === undefined
        ? await host.text(title, t('How many hidden units of the boosted head are kept'), '', (text) =>
            whole(text) ? undefined : t('A whole number from 1 on'),
          )
        : String(target.units);
    if (given === undefined) return;
    const units = Number(given);
    const out = await host.save(title, path.replace(/(\.onnx)?$/, `.${units}.onnx`), { [t('ONNX models')]: ['onnx'] });
    if (out !== undefined) await host.keepUnits({ model: path, units, out });
  },
});
