import type {
  Axis,
  BarsCard,
  CardKind,
  CardOf,
  CurveCard,
  DeviceFacts,
  Fact,
  GraphCard,
  HeatmapCard,
  ImagesCard,
  Interval,
  NumberCard,
  Picture,
  Provenance,
  Report,
  SampleView,
  ScatterCard,
  Selection,
  TableCard,
  TextCard,
  TokenPiece,
  Unit,
} from './report.ts';
import { anything, array, either, nullable, number, object, oneOf, record, type Shape, string, tuple } from './shape.ts';

const unit: Shape<Unit> = oneOf('fraction', 'count', 'nats', 'seconds', 'bytes', 'ms', 'none');
const yes: Shape<true> = oneOf(true);
const interval: Shape<Interval> = object<Interval>({ low: number, high: number, level: number, method: string });
const selection: Shape<Selection> = object<Selection>({ label: string, total: number, rows: array(number) });
const selections = array(nullable(selection));
const axis: Shape<Axis> = object<Axis>({ label: string, unit, min: number, max: number, scale: oneOf('linear', 'log') }, [
  'min',
  'max',
  'scale',
]);
const pair = tuple<readonly [number, number]>(number, number);
const triple = tuple<readonly [number, number, number]>(number, number, number);
const picture: Shape<Picture> = object<Picture>({ width: number, height: number, channels: oneOf(1, 3), base64: string });
const values = array(nullable(number));
const base = { title: string, caption: string };

const numberCard: Shape<NumberCard> = object<NumberCard>(
  {
    kind: oneOf('number'),
    ...base,
    values: array(
      object<NumberCard['values'][number]>(
        { name: string, label: string, value: nullable(number), unit, interval, reference: number, note: string },
        ['interval', 'reference', 'note'],
      ),
    ),
  },
  ['caption'],
);

const curveCard: Shape<CurveCard> = object<CurveCard>(
  {
    kind: oneOf('curve'),
    ...base,
    x: axis,
    y: axis,
    lines: array(
      object<CurveCard['lines'][number]>(
        { name: string, points: array(pair), shape: oneOf('line', 'points', 'step'), intervals: array(nullable(pair)), selections },
        ['shape', 'intervals', 'selections'],
      ),
    ),
    bands: array(object<NonNullable<CurveCard['bands']>[number]>({ name: string, points: array(triple) })),
    diagonal: yes,
    diagonalName: string,
    cut: string,
  },
  ['caption', 'bands', 'diagonal', 'diagonalName', 'cut'],
);

const barsCard: Shape<BarsCard> = object<BarsCard>(
  {
    kind: oneOf('bars'),
    ...base,
    x: axis,
    y: axis,
    edges: array(number),
    categories: array(string),
    series: array(
      object<BarsCard['series'][number]>({ name: string, values, intervals: array(nullable(pair)), selections }, [
        'intervals',
        'selections',
      ]),
    ),
    bands: array(object<NonNullable<BarsCard['bands']>[number]>({ name: string, low: values, high: values })),
    marks: array(object<NonNullable<BarsCard['marks']>[number]>({ name: string, values })),
    diagonal: yes,
    stacked: yes,
  },
  ['caption', 'edges', 'categories', 'bands', 'marks', 'diagonal', 'stacked'],
);

const names = object<HeatmapCard['rows']>({ label: string, names: array(string) });
const heatmapCard: Shape<HeatmapCard> = object<HeatmapCard>(
  {
    kind: oneOf('heatmap'),
    ...base,
    rows: names,
    columns: names,
    layers: array(object<HeatmapCard['layers'][number]>({ name: string, unit, values, domain: pair }, ['domain'])),
    diagonal: yes,
    selections: record(selection),
  },
  ['caption', 'diagonal', 'selections'],
);

const tableCard: Shape<TableCard> = object<TableCard>(
  {
    kind: oneOf('table'),
    ...base,
    columns: array(
      object<TableCard['columns'][number]>({ name: string, label: string, type: oneOf('text', 'number', 'interval', 'row'), unit }, [
        'unit',
      ]),
    ),
    rows: array(array(nullable(either(either(string, number), pair)))),
  },
  ['caption'],
);

type Image = ImagesCard['images'][number];
const imagesCard: Shape<ImagesCard> = object<ImagesCard>(
  {
    kind: oneOf('images'),
    ...base,
    images: array(
      object<Image>({
        row: number,
        title: string,
        picture: nullable(picture),
        overlays: array(
          object<Image['overlays'][number]>(
            { name: string, width: number, height: number, values: array(number), scale: number, outliers: number },
            ['outliers'],
          ),
        ),
        facts: array(object<Fact>({ label: string, value: either(string, number), unit }, ['unit'])),
      }),
    ),
    columns: number,
  },
  ['caption', 'columns'],
);

const scatterCard: Shape<ScatterCard> = object<ScatterCard>(
  {
    kind: oneOf('scatter'),
    ...base,
    x: axis,
    y: axis,
    groups: array(object<ScatterCard['groups'][number]>({ name: string, points: array(pair), rows: array(number) }, ['rows'])),
    diagonal: yes,
  },
  ['caption', 'diagonal'],
);

const textCard: Shape<TextCard> = object<TextCard>(
  {
    kind: oneOf('text'),
    ...base,
    paragraphs: array(string),
    tokens: array(
      object<TokenPiece>(
        {
          text: string,
          score: number,
          continues: yes,
          special: yes,
          word: object<NonNullable<TokenPiece['word']>>({ text: string, score: number }),
        },
        ['continues', 'special', 'word'],
      ),
    ),
    scale: number,
  },
  ['caption', 'paragraphs', 'tokens', 'scale'],
);

const graphCard: Shape<GraphCard> = object<GraphCard>(
  {
    kind: oneOf('graph'),
    ...base,
    nodes: array(object<GraphCard['nodes'][number]>({ id: string, label: string, group: string, value: number }, ['group', 'value'])),
    edges: array(object<GraphCard['edges'][number]>({ from: string, to: string })),
  },
  ['caption'],
);

/** One shape per card kind; total, as the renderers are. */
export const cardShapes: { readonly [K in CardKind]: Shape<CardOf<K>> } = {
  number: numberCard,
  curve: curveCard,
  bars: barsCard,
  heatmap: heatmapCard,
  table: tableCard,
  images: imagesCard,
  scatter: scatterCard,
  text: textCard,
  graph: graphCard,
};

const provenance: Shape<Provenance> = object<Provenance>(
  {
    modelPath: string,
    modelSha256: string,
    dataPath: string,
    dataSha256: string,
    split: string,
    against: object<NonNullable<Provenance['against']>>({ modelPath: string, modelSha256: string, dataPath: string, dataSha256: string }, [
      'modelPath',
      'modelSha256',
      'dataPath',
      'dataSha256',
    ]),
    rows: number,
    seed: number,
    device: object<DeviceFacts>({ requested: string, actual: string, reason: string }),
    versions: record(string),
    options: record(anything),
    seconds: number,
    startedAt: string,
  },
  ['modelPath', 'modelSha256', 'split', 'against'],
);

const sample: Shape<SampleView> = object<SampleView>({ row: number, label: string, prediction: string, confidence: number, picture }, [
  'label',
  'prediction',
  'confidence',
  'picture',
]);

/** A report whose cards are yet to be read. */
export type Envelope = Omit<Report, 'cards'> & { readonly cards: readonly unknown[] };
export const envelope: Shape<Envelope> = object<Envelope>(
  {
    schema: number,
    id: string,
    title: string,
    question: string,
    outcome: oneOf('measured', 'unavailable', 'failed', 'stopped'),
    reason: object<NonNullable<Report['reason']>>({ code: string, sentence: string }),
    headline: record(number),
    intervals: record(interval),
    cards: array(anything),
    guide: string,
    notes: array(string),
    samples: array(sample),
    provenance,
  },
  ['reason'],
);
