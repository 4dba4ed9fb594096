import type { Selection } from '../src/report/report.ts';
import type { Host } from './host.ts';

/** How a page of reports stands: what is kept while its panel is hidden, and over a reload of the window. */
export interface PageState {
  /** The report shown, of several. */
  readonly tab: number;
  readonly scroll: number;
  /** Cards shown as tables, as `REPORT:CARD`. */
  readonly tables: readonly string[];
  readonly selected: { readonly report: number; readonly card: number; readonly selection: Selection } | null;
}

export interface PageKeeper {
  readonly state: PageState;
  readonly keep: (part: Partial<PageState>) => void;
}

const fresh: PageState = { tab: 0, scroll: 0, tables: [], selected: null };

const parsed = (text: string | undefined): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
};

/** What VS Code keeps of the page: what the extension gave it, and how it stands. */
export const pageKeeper = (host: Host): PageKeeper => {
  const given = parsed(host.kept());
  let state: PageState = { ...fresh, ...(given.page as Partial<PageState> | undefined) };
  return {
    get state() {
      return state;
    },
    keep(part) {
      state = { ...state, ...part };
      host.keep(JSON.stringify({ ...given, page: state }));
    },
  };
};
