import { Fault } from '../../base/fault.ts';
import type { DataRef, ModelRef } from '../../base/request.ts';
import type { DataFacts, DataSubject } from '../../report/data-view.ts';
import { parseFilter } from '../../report/row-filter.ts';
import type { DataAsk, DataLook, DataTell } from '../data-protocol.ts';
import { t } from '../l10n.ts';
import type { DataEditorPorts } from './data.ts';

/** What one editor of data asks of the world. */
export interface SessionPorts extends Pick<DataEditorPorts, 'read' | 'submit' | 'chooseModel' | 'saliency' | 'failed'> {
  /** Changes when the file does. */
  stamp(): Promise<string>;
  trusted(): boolean;
  /** The file for predictions of this model, or of the table itself. */
  predictions(data: DataRef, model: ModelRef | undefined): Promise<string>;
  there(path: string): Promise<boolean>;
  tell(tell: DataTell): void;
  problem(sentence: string): void;
}

export interface DataSession {
  ask(ask: DataAsk): void;
  /** Reads the file again, with the look as it is. */
  reopen(): void;
  close(): void;
}

/** Attribution method of the thumbnails: one backward pass a row. */
const method = 'gradient';

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const sameSource = (a: DataLook, b: DataLook): boolean => a.x === b.x && a.y === b.y && JSON.stringify(a.model) === JSON.stringify(b.model);

/** One editor of data: what is open, in which order its rows are (4 bytes a row), and what is being worked on. The page asks, the newest question wins. */
export const dataSession = (given: DataRef, ports: SessionPorts): DataSession => {
  let look: DataLook = { filter: '' };
  let facts: DataFacts | undefined;
  let subject: DataSubject = { data: given, stamp: '' };
  let order: Uint32Array | undefined;
  let count = 0;
  let generation = 0;
  let selected: DataTell | undefined;
  let [whole, selecting, working] = Array.from({ length: 3 }, () => new AbortController());
  let unmapped: readonly number[] | undefined;
  let mapping = false;
  let wanted: Extract<DataAsk, { kind: 'slices' }> | undefined;
  let slicing = false;

  const refOf = ({ x, y }: DataLook): DataRef => ({ ...given, ...(x === undefined ? {} : { x }), ...(y === undefined ? {} : { y }) });
  const begin = (previous: AbortController): AbortController => {
    previous.abort();
    const next = new AbortController();
    whole.signal.addEventListener('abort', () => next.abort(), { once: true });
    return next;
  };
  const watch = (signal: AbortSignal, work: 'predicting' | 'counting') => ({
    signal,
    onProgress: (fraction: number, text: string) => {
      if (!signal.aborted) ports.tell({ kind: 'work', work, text, fraction });
    },
  });
  const table = (): void => {
    if (facts) ports.tell({ kind: 'table', facts, trusted: ports.trusted(), look });
  };

  /** Whether what is filtered and sorted by is there yet: columns of predictions come later. */
  const fits = ({ filter, sort }: DataLook, { columns }: DataFacts): boolean =>
    (filter.trim() === '' || 'filter' in parseFilter(filter, columns)) && (!sort || columns.some(({ name }) => name === sort.column));

  const select = async (look: DataLook): Promise<void> => {
    selecting = begin(selecting);
    const { signal } = selecting;
    try {
      const asked = { ...subject, filter: look.filter, ...(look.sort ? { sort: look.sort } : {}) };
      const { rows, ...selection } = await ports.read('dataSelection', asked, { signal });
      if (signal.aborted) return;
      order = rows;
      count = selection.count;
      selected = { kind: 'selection', generation: ++generation, look, selection };
      ports.tell(selected);
    } catch (error) {
      if (!signal.aborted) ports.tell({ kind: 'refused', of: 'filter', sentence: sentenceOf(error) });
    }
  };

  /** Predictions of the model, or of the table itself; kept ones are taken where nothing has changed. */
  const predict = async (model: ModelRef | undefined, signal: AbortSignal): Promise<string | undefined> => {
    const { data } = subject;
    const out = await ports.predictions(data, model);
    if (!(await ports.there(out))) {
      ports.tell({ kind: 'work', work: 'predicting', text: t('Starting'), fraction: 0 });
      await ports.submit('predict', { ...(model ? { model } : {}), data, out }, watch(signal, 'predicting'));
    }
    return signal.aborted ? undefined : out;
  };

  /** Opens the file, shows its rows, and then what a model or the table says of them. */
  const open = async (): Promise<void> => {
    whole.abort();
    whole = new AbortController();
    const { signal } = whole;
    working = begin(working);
    const work = working.signal;
    [order, selected, wanted] = [undefined, undefined, undefined];
    try {
      ports.tell({ kind: 'work', work: 'opening' });
      subject = { data: refOf(look), stamp: await ports.stamp() };
      facts = await ports.read('data', subject, { signal });
      if (signal.aborted) return;
      count = facts.rows;
      const runs = look.model && ports.trusted();
      const more = runs || facts.scored;
      table();
      await select(more && !fits(look, facts) ? { ...look, filter: '', sort: undefined } : look);
      if (signal.aborted || !more) return;
      const predictions = await predict(runs ? look.model : undefined, work);
      if (predictions === undefined) return;
      const predicted = { ...subject, predictions };
      facts = await ports.read('data', predicted, { signal });
      if (signal.aborted) return;
      subject = predicted;
      table();
      await select(look);
    } catch (error) {
      if (signal.aborted) return;
      // Rows that are shown stay, whatever a model says of them.
      if (selected)
        ports.tell({ kind: 'refused', of: 'predictions', sentence: work.aborted ? t('Stopped on request.') : sentenceOf(error) });
      else ports.problem(sentenceOf(error));
      if (!(error instanceof Fault)) ports.failed(error);
    }
  };

  /** One slice at a time; those no longer wanted are never read. */
  const serve = async (): Promise<void> => {
    if (slicing) return;
    slicing = true;
    while (wanted && wanted.generation === generation && wanted.wanted.length > 0) {
      const { squares, wanted: list } = wanted;
      const [{ from, to, columns }] = list;
      wanted = { ...wanted, wanted: list.slice(1) };
      const mine = generation;
      const end = Math.min(to, count);
      const rows = order ? order.slice(from, end) : Uint32Array.from({ length: Math.max(0, end - from) }, (_, i) => from + i);
      try {
        const slice = await ports.read('dataSlice', { ...subject, rows, columns, squares }, { signal: whole.signal });
        if (mine === generation) ports.tell({ kind: 'slice', generation: mine, from, slice });
      } catch (error) {
        if (mine === generation && !whole.signal.aborted && !Fault.is(error, 'job/stopped')) {
          ports.problem(sentenceOf(error));
          break;
        }
      }
    }
    slicing = false;
  };

  const answer = async (of: 'row' | 'arrays' | 'maps', work: () => Promise<DataTell>, signal: AbortSignal): Promise<void> => {
    try {
      const tell = await work();
      if (!signal.aborted) ports.tell(tell);
    } catch (error) {
      if (!signal.aborted) ports.tell({ kind: 'refused', of, sentence: sentenceOf(error) });
    }
  };
  /** One handful of rows at a time, those now in view. */
  const map = async (): Promise<void> => {
    if (mapping) return;
    mapping = true;
    const { signal } = whole;
    while (unmapped && look.model && !signal.aborted) {
      const rows = unmapped;
      const { model } = look;
      unmapped = undefined;
      await answer(
        'maps',
        async () => {
          const maps = await ports.submit('attributionMaps', { model, data: subject.data, method, rows }, { signal });
          const known = new Set(maps.map(({ row }) => row));
          return { kind: 'maps', method, maps, without: rows.filter((row) => !known.has(row)) };
        },
        signal,
      );
    }
    mapping = false;
  };

  const turn = (next: DataLook): void => {
    const same = sameSource(look, next);
    look = next;
    if (same && facts) void select(look);
    else void open();
  };
  const attach = async (): Promise<void> => {
    const model = await ports.chooseModel(subject.data);
    if (model) turn({ ...look, model });
  };
  const detach = (): void => {
    const { model: _, ...rest } = look;
    // What a model said cannot be filtered or sorted by any longer.
    const { sort: __, ...plain } = rest;
    turn({ ...plain, filter: '' });
  };

  return {
    ask(ask) {
      switch (ask.kind) {
        case 'open':
          if (facts && sameSource(look, ask.look)) {
            table();
            if (selected) ports.tell(selected);
          } else {
            look = ask.look;
            void open();
          }
          return;
        case 'look':
          return turn({ ...ask.look, model: look.model });
        case 'slices':
          wanted = ask;
          return void serve();
        case 'row': {
          const { row, squares } = ask;
          const { signal } = whole;
          return void answer(
            'row',
            async () => ({ kind: 'row', row: await ports.read('dataRow', { ...subject, row, squares }, { signal }) }),
            signal,
          );
        }
        case 'arrays': {
          working = begin(working);
          const { signal } = working;
          const facts = () => ports.submit('dataArrays', subject, watch(signal, 'counting'));
          return void answer('arrays', async () => ({ kind: 'arrays', facts: await facts() }), signal);
        }
        case 'maps':
          unmapped = ask.rows;
          if (ports.trusted()) void map();
          return;
        case 'attach':
          if (ports.trusted()) void attach().catch(ports.failed);
          return;
        case 'detach':
          return detach();
        case 'stop':
          return working.abort();
        case 'saliency':
          if (look.model) ports.saliency(look.model, subject.data, ask.row);
          return;
      }
    },
    reopen: () => void open(),
    close() {
      whole.abort();
      working.abort();
    },
  };
};
