import type { Catalogue } from '../base/catalogue.ts';

/** Names that are spelled in their own way. */
const spelled: Readonly<Record<string, string>> = {
  smoothgrad: 'SmoothGrad',
  'gradient-x-input': 'Gradient × Input',
  'gradient-input': 'Gradient × Input',
};
const titleOf = (id: string): string =>
  spelled[id] ?? id.replace(/(^|-)(\w)/g, (_, gap: string, letter: string) => (gap ? ' ' : '') + letter.toUpperCase());

/** The attribution methods that the image tab offers: those of the saliency diagnostic. */
export const methodsOf = ({ diagnostics }: Pick<Catalogue, 'diagnostics'>): readonly { readonly id: string; readonly title: string }[] => {
  const option = diagnostics.find(({ id }) => id === 'saliency')?.options.method;
  return option?.kind === 'choice' ? option.of.map((id) => ({ id, title: titleOf(id) })) : [];
};
