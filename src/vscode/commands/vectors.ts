import { join } from 'node:path';
import { STEPS } from '../../base/maths/equiangular.ts';
import { type Command, defineCommand } from '../define.ts';
import { t } from '../l10n.ts';

export const generateVectors: Command = defineCommand({
  id: 'assay.generateVectors',
  title: 'Generate Equiangular Basis Vectors…',
  async run(host) {
    const title = t('Generate Equiangular Basis Vectors');
    const ask = async (prompt: string, value: string, least: number, most: number, whole: boolean): Promise<number | undefined> => {
      const right = (typed: string): boolean =>
        typed.trim() !== '' && Number(typed) >= least && Number(typed) <= most && (!whole || Number.isInteger(Number(typed)));
      const wrong = whole ? t('Give a whole number from {0} to {1}.', least, most) : t('Give a number from {0} to {1}.', least, most);
      const typed = await host.text(title, prompt, value, (text) => (right(text) ? undefined : wrong));
      return typed === undefined ? undefined : Number(typed);
    };
    const count = await ask(t('How many vectors: one a class, and one for each class that may come'), '10', 2, 65_536, true);
    if (count === undefined) return;
    const dim = await ask(
      t('Numbers in each vector; with fewer than vectors they cannot all be at right angles'),
      String(count),
      2,
      65_536,
      true,
    );
    if (dim === undefined) return;
    const alpha =
      count <= dim ? 0 : await ask(t('Largest cosine of two vectors; -1 for 1.25 times the least there can be'), '-1', -1, 1, false);
    if (alpha === undefined) return;
    const [folder] = host.folders();
    const out = await host.save(title, join(folder?.path ?? '', `vectors-${count}-${dim}.npz`), { [t('NumPy arrays')]: ['npz'] });
    if (out === undefined) return;
    await host.writeVectors({ count, dim, alpha, steps: STEPS, seed: host.seed, device: host.device, out });
  },
});
