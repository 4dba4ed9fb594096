import type { Catalogue } from '../base/catalogue.ts';
import { readers } from '../data/readers/index.ts';
import { type Diagnostic, needsModel } from '../diagnostics/define.ts';
import { diagnostics } from '../diagnostics/index.ts';
import { architectures } from '../training/architectures/index.ts';
import { losses } from '../training/losses/index.ts';
import { optimizers } from '../training/optimizers/index.ts';
import { schedules } from '../training/schedules/index.ts';

const needsOf = (d: Diagnostic): readonly string[] => (d.shape === 'fold' ? d.needs : d.uses);

/** The catalogue of everything registered: a pure function of the registries. */
export const catalogue = (): Catalogue => ({
  diagnostics: diagnostics.map((d) => ({
    id: d.id,
    title: d.title,
    question: d.question,
    family: d.family,
    source: d.source,
    needs: needsOf(d),
    needsModel: needsModel(d),
    options: d.options,
    ...(d.numbers ? { numbers: d.numbers } : {}),
  })),
  parts: Object.fromEntries(
    Object.entries({ architecture: architectures, loss: losses, optimizer: optimizers, schedule: schedules }).map(([kind, parts]) => [
      kind,
      parts.map(({ id, source, options }) => ({ id, source, options })),
    ]),
  ),
  readers: readers.map(({ id, title, endings }) => ({ id, title, endings })),
});
