import { Fault } from '../base/fault.ts';
import type { Job } from '../base/job.ts';
import { labelColumn } from '../data/columns.ts';
import type { Dataset } from '../data/define.ts';
import type { Target } from '../data/preprocess.ts';
import { type FittedText, fitText } from '../data/text-fit.ts';
import { openTokenizer } from '../data/tokenizer.ts';
import type { Ports } from './ports.ts';

/** What is asked of text: names as given, and where a tokenizer may be. */
interface TextAsk {
  readonly x: string | undefined;
  readonly y: string | undefined;
  /** Path of a tokenizer, and the folder of the model, which may hold `tokenizer.json`. */
  readonly tokenizer: string | undefined;
  readonly beside: string | undefined;
  readonly target: Target;
}

/** Where the model takes whole numbers and a column holds text: that column as tokens. */
export const tokensOf = async (
  dataset: Dataset,
  { x, y, tokenizer: given, beside, target }: TextAsk,
  ports: Pick<Ports, 'source'>,
  job: Pick<Job, 'note' | 'signal'>,
): Promise<FittedText | undefined> => {
  const words = dataset.columns.filter((c) => c.dtype === 'string' && c.dims.length === 0);
  const named = words.find((c) => c.name === x);
  const tokens = /^u?int/.test(target.dtype);
  if (given !== undefined && !tokens) throw new Fault('data/token-type', { input: target.name, dtype: target.dtype });
  if (!tokens || words.length === 0 || (x !== undefined && !named)) return undefined;
  const near = beside === undefined ? undefined : `${beside.replace(/[\\/]$/, '')}/tokenizer.json`;
  const source = given ? await ports.source(given) : near && (await ports.source(near).catch((): undefined => undefined));
  if (!source) {
    // Without numbers beside the text, the text was meant.
    const label = labelColumn(dataset, y);
    const texts = named ? [named] : words.filter((c) => c.name !== label && c.name !== 'split');
    const others = dataset.columns.some((c) => c.name !== label && c.dtype !== 'string');
    if (texts.length > 0 && (named || !others))
      throw new Fault('data/no-tokenizer', { path: dataset.path, columns: texts.map((c) => c.name), input: target.name });
    return undefined;
  }
  const text = await fitText(dataset, x, labelColumn(dataset, y), await openTokenizer(source, job.signal), target, job.signal);
  if (text) job.note(text.note);
  return text;
};
