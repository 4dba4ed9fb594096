import { Fault } from '../base/fault.ts';
import { finite } from './finite.ts';
import { type Card, type CardKind, type Report, SCHEMA } from './report.ts';
import { cardShapes, type Envelope, envelope } from './schema.ts';
import { Misshape, type Shape } from './shape.ts';

const kindOf = (card: unknown): string => (typeof card === 'object' && card !== null && 'kind' in card ? String(card.kind) : '');
const isKnown = (kind: string): kind is CardKind => Object.hasOwn(cardShapes, kind);
const titleOf = (card: unknown): string => (typeof card === 'object' && card !== null && 'title' in card ? String(card.title) : 'untitled');

/** Kinds this version does not know stay as they are: `draw` shows them as notes. */
const readCard = (card: unknown, where: string): Card => {
  const kind = kindOf(card);
  if (kind === '') throw new Misshape(where, 'a card with a kind');
  return isKnown(kind) ? (cardShapes[kind] as Shape<Card>).read(card, where) : (card as Card);
};

const read = (value: unknown): Report => {
  const whole: Envelope = envelope.read(value, '');
  const newer = whole.schema > SCHEMA;
  const notes = [...whole.notes];
  if (newer)
    notes.push(`Saved in report schema ${whole.schema} by a newer version; this one reads ${SCHEMA}. What it does not know is left out.`);
  const cards = whole.cards.flatMap((card, i): Card[] => {
    try {
      return [readCard(card, `cards[${i}]`)];
    } catch (error) {
      if (!newer || !(error instanceof Misshape)) throw error;
      notes.push(`Card '${titleOf(card)}' (${kindOf(card) || 'of no kind'}) is written in a way this version does not know.`);
      return [];
    }
  });
  return { ...whole, cards, notes };
};

/** The report file: keys in the order of the schema, numbers unrounded, nothing that JSON cannot hold. */
export const toJson = (report: Report): string => `${JSON.stringify(read(finite(report)), null, 1)}\n`;

const unreadable = (name: string, reason: string, cause: unknown): Fault => new Fault('report/unreadable', { name, reason }, { cause });

/** Reads what toJson wrote; throws `report/unreadable`. `name` is how the sentence calls the file. */
export const fromJson = (text: string, name = 'report'): Report => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(name, 'it is not JSON', error);
  }
  try {
    return read(value);
  } catch (error) {
    throw error instanceof Misshape ? unreadable(name, error.message, error) : error;
  }
};
