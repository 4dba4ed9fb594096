import type { Options } from './option.ts';

/** What the product offers, as generated data: palette, forms, pickers, help and docs read it and never load the rooms themselves. */
export interface Catalogue {
  readonly diagnostics: readonly CatalogueDiagnostic[];
  /** Parts of a training recipe by kind: architecture, loss, optimizer, schedule. */
  readonly parts: Readonly<Record<string, readonly CataloguePart[]>>;
  readonly readers: readonly { readonly id: string; readonly title: string; readonly endings: readonly string[] }[];
}

export interface CatalogueDiagnostic {
  readonly id: string;
  readonly title: string;
  readonly question: string;
  readonly family: string;
  readonly source: string;
  /** Nouns of evidence, or tools, that the subject must supply. */
  readonly needs: readonly string[];
  /** False where a table of predictions is enough. */
  readonly needsModel: boolean;
  readonly options: Options;
  /** Every name its headline may have, where it says so; `*` stands for any text, such as the name of a class. */
  readonly numbers?: readonly string[];
}

/** It asks for a second model, or table, on the same rows. */
export const comparesTwo = ({ needs }: Pick<CatalogueDiagnostic, 'needs'>): boolean => needs.includes('pair');

export interface CataloguePart {
  readonly id: string;
  readonly source: string;
  readonly options: Options;
}
