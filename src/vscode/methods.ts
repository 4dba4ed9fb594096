import type { Catalogue } from '../base/catalogue.ts';

export interface Method {
  readonly id: string;
  readonly title: string;
}

/** The attribution methods that the image tab offers: those of the saliency diagnostic, its default first. */
export const methodsOf = ({ diagnostics }: Pick<Catalogue, 'diagnostics'>): readonly Method[] => {
  const option = diagnostics.find(({ id }) => id === 'saliency')?.options.method;
  if (option?.kind !== 'choice') return [];
  const ids = [option.default, ...option.of.filter((id) => id !== option.default)];
  return ids.map((id) => ({ id, title: option.titles?.[id] ?? id }));
};
