import { nearest } from '../base/nearest.ts';

/** A column as an expression may name it. A class column holds class numbers with names; `size` is the number of values in one row. */
export interface FilterColumn {
  readonly name: string;
  readonly kind: 'number' | 'truth' | 'text' | 'class' | 'numbers' | 'picture';
  readonly size: number;
  readonly classes?: readonly string[];
}
export interface ColumnOperand {
  readonly kind: 'column';
  readonly name: string;
  /** Place in a row of several values. */
  readonly index?: number;
}
export type Operand =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'text'; readonly value: string }
  | ColumnOperand;
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

export type RowFilter =
  | { readonly kind: 'all' | 'any'; readonly of: readonly RowFilter[] }
  | { readonly kind: 'not'; readonly of: RowFilter }
  | { readonly kind: 'compare'; readonly operator: Comparison; readonly left: Operand; readonly right: Operand }
  | { readonly kind: 'contains'; readonly left: ColumnOperand; readonly text: string }
  | { readonly kind: 'in'; readonly left: ColumnOperand; readonly values: readonly Operand[] }
  | { readonly kind: 'missing'; readonly left: ColumnOperand }
  | { readonly kind: 'true'; readonly left: ColumnOperand };

/** `at` counts characters of the text from 0. */
export interface FilterProblem {
  readonly at: number;
  readonly problem: string;
}
export type ParsedFilter = { readonly filter: RowFilter } | FilterProblem;

interface Token {
  readonly kind: 'number' | 'text' | 'name' | 'sign' | 'end';
  readonly text: string;
  readonly at: number;
}
class Misread extends Error {
  readonly at: number;
  constructor(at: number, problem: string) {
    super(problem);
    this.at = at;
  }
}

const patterns: readonly (readonly [Token['kind'] | 'space', RegExp])[] = [
  ['space', /\s+/y],
  ['number', /-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])/y],
  ['text', /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/y],
  ['name', /[\p{L}_][\p{L}\p{N}_.]*|`[^`]+`/uy],
  ['sign', /&&|\|\||==|!=|<>|<=|>=|[=<>!(),[\]~]/y],
];

const tokensOf = (text: string): readonly Token[] => {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const found = patterns.flatMap(([kind, pattern]) => {
      pattern.lastIndex = at;
      const match = pattern.exec(text)?.[0];
      return match === undefined ? [] : [{ kind, match }];
    })[0];
    if (!found) {
      const c = text[at];
      throw new Misread(at, '"\'`'.includes(c) ? `the ${c} that opens here is never closed` : `'${c}' means nothing here`);
    }
    if (found.kind !== 'space') tokens.push({ kind: found.kind, text: found.match, at });
    at += found.match.length;
  }
  return [...tokens, { kind: 'end', text: 'the end', at: text.length }];
};

const unquoted = (text: string): string => text.slice(1, -1).replace(/\\(.)/g, '$1');
const comparisons: Readonly<Record<string, Comparison>> = {
  '=': '=',
  '==': '=',
  '!=': '!=',
  '<>': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};
const MOST_LISTED = 12;
const listed = (names: readonly string[]): string =>
  `${names.slice(0, MOST_LISTED).join(', ')}${names.length > MOST_LISTED ? ` and ${names.length - MOST_LISTED} more` : ''}`;

/** A name as an expression writes it: in backquotes where it is no plain word. */
export const filterName = (name: string): string =>
  /^[\p{L}_][\p{L}\p{N}_.]*$/u.test(name) && !/^(?:and|or|not|in|is|missing|contains|true|false)$/i.test(name) ? name : `\`${name}\``;
/** A text as an expression writes it. */
export const filterText = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

/**
 * any := all (`||` all)*; all := one (`&&` one)*; one := `!` one | `(` any `)` | test.
 * test := column | column `is` [`not`] `missing` | column [`not`] `in` `(` value, … `)` | column (`~` | `contains`) text | operand comparison operand.
 * operand := number | text | column; column := name | `name` in backquotes, with `[i]` where a row holds several values. The words and, or, not are `&&`, `||`, `!`.
 */
class Reader {
  readonly #tokens: readonly Token[];
  readonly #columns: readonly FilterColumn[];
  #at = 0;

  constructor(text: string, columns: readonly FilterColumn[]) {
    this.#tokens = tokensOf(text);
    this.#columns = columns;
  }

  whole(): RowFilter {
    const filter = this.#any();
    const rest = this.#next();
    if (rest.kind !== 'end') throw new Misread(rest.at, `${this.#said(rest)} is not expected here; join conditions with && or ||`);
    return filter;
  }

  get #token(): Token {
    return this.#tokens[this.#at];
  }
  #next(): Token {
    return this.#tokens[Math.min(this.#at++, this.#tokens.length - 1)];
  }
  #said({ kind, text }: Token): string {
    return kind === 'end' ? 'the end' : `'${text}'`;
  }
  #takes(...texts: readonly string[]): boolean {
    const { kind, text } = this.#token;
    const found = (kind === 'sign' || kind === 'name') && texts.includes(kind === 'name' ? text.toLowerCase() : text);
    if (found) this.#at++;
    return found;
  }
  #due(text: string): void {
    if (!this.#takes(text)) throw new Misread(this.#token.at, `'${text}' is due here, not ${this.#said(this.#token)}`);
  }

  #any(): RowFilter {
    const of = [this.#all()];
    while (this.#takes('||', 'or')) of.push(this.#all());
    return of.length === 1 ? of[0] : { kind: 'any', of };
  }
  #all(): RowFilter {
    const of = [this.#one()];
    while (this.#takes('&&', 'and')) of.push(this.#one());
    return of.length === 1 ? of[0] : { kind: 'all', of };
  }
  #one(): RowFilter {
    if (this.#takes('!', 'not')) return { kind: 'not', of: this.#one() };
    if (this.#takes('(')) {
      const filter = this.#any();
      this.#due(')');
      return filter;
    }
    return this.#test();
  }

  #test(): RowFilter {
    const start = this.#token;
    const left = this.#operand();
    if (left.kind === 'column') {
      if (this.#takes('is')) {
        const not = this.#takes('not');
        this.#due('missing');
        return not ? { kind: 'not', of: { kind: 'missing', left } } : { kind: 'missing', left };
      }
      const before = this.#at;
      const not = this.#takes('not');
      if (this.#takes('in')) {
        const filter: RowFilter = { kind: 'in', left, values: this.#values(left) };
        return not ? { kind: 'not', of: filter } : filter;
      }
      this.#at = before;
      if (this.#takes('~', 'contains')) {
        const token = this.#next();
        if (token.kind !== 'text') throw new Misread(token.at, `a text in quotes is due here, not ${this.#said(token)}`);
        if (this.#kind(left) !== 'text') throw new Misread(start.at, `'${left.name}' holds no text to look into`);
        return { kind: 'contains', left, text: unquoted(token.text) };
      }
      const operator = this.#operator();
      if (operator === undefined) {
        if (this.#kind(left) === 'truth') return { kind: 'true', left };
        throw new Misread(this.#token.at, `a comparison such as = or < is due here, not ${this.#said(this.#token)}`);
      }
      return this.#compared(operator, left, start);
    }
    const operator = this.#operator();
    if (operator === undefined) throw new Misread(this.#token.at, `a comparison is due here, not ${this.#said(this.#token)}`);
    return this.#compared(operator, left, start);
  }

  #operator(): Comparison | undefined {
    const { kind, text } = this.#token;
    const found = kind === 'sign' && Object.hasOwn(comparisons, text) ? comparisons[text] : undefined;
    if (found) this.#at++;
    return found;
  }

  #compared(operator: Comparison, left: Operand, start: Token): RowFilter {
    const at = this.#token;
    const right = this.#operand(left.kind === 'column' ? left : undefined);
    if (left.kind !== 'column' && right.kind !== 'column') throw new Misread(start.at, 'one side must be a column');
    const [a, b] = [this.#fits(left, right, start), this.#fits(right, left, at)];
    const ordered = operator !== '=' && operator !== '!=';
    const texts = [a, b].filter((o) => o.kind === 'text' || (o.kind === 'column' && this.#kind(o) === 'text')).length;
    if (ordered && texts === 1) throw new Misread(at.at, 'a text and a number have no order; compare two of a kind');
    return { kind: 'compare', operator, left: a, right: b };
  }

  #values(left: ColumnOperand): readonly Operand[] {
    this.#due('(');
    const values: Operand[] = [];
    do {
      const token = this.#token;
      const value = this.#operand(left);
      if (value.kind === 'column') throw new Misread(token.at, 'a number or a text in quotes is due here');
      values.push(this.#fits(value, left, token));
    } while (this.#takes(','));
    this.#due(')');
    return values;
  }

  #column(name: string): FilterColumn | undefined {
    return this.#columns.find((c) => c.name === name);
  }
  #kind({ name, index }: ColumnOperand): FilterColumn['kind'] {
    return index === undefined ? (this.#column(name)?.kind ?? 'number') : 'number';
  }

  /** A literal as the column on the other side takes it: a class by its name, a truth value as 0 or 1. */
  #fits(operand: Operand, other: Operand, token: Token): Operand {
    if (operand.kind !== 'text' || other.kind !== 'column') return operand;
    const kind = this.#kind(other);
    if (kind === 'text') return operand;
    const classes = this.#column(other.name)?.classes;
    if (kind !== 'class' || !classes)
      throw new Misread(token.at, `'${other.name}' holds numbers; compare it with a number, without quotes`);
    const value = classes.indexOf(operand.value);
    if (value >= 0) return { kind: 'number', value };
    const near = nearest(operand.value, classes);
    throw new Misread(
      token.at,
      `'${operand.value}' is no class of '${other.name}'.${near ? ` Did you mean '${near}'?` : ''} Classes: ${listed(classes)}`,
    );
  }

  /** `beside` is the column that a word is compared with, for what to say of a word that is no column. */
  #operand(beside?: ColumnOperand): Operand {
    const token = this.#next();
    switch (token.kind) {
      case 'number':
        return { kind: 'number', value: Number(token.text) };
      case 'text':
        return { kind: 'text', value: unquoted(token.text) };
      case 'name':
        return this.#named(token, beside);
      default:
        throw new Misread(token.at, `a column, a number or a text in quotes is due here, not ${this.#said(token)}`);
    }
  }

  #named(token: Token, beside: ColumnOperand | undefined): Operand {
    const name = token.text.startsWith('`') ? token.text.slice(1, -1) : token.text;
    const column = this.#column(name);
    if (!column) {
      if (/^(?:true|false)$/i.test(name)) return { kind: 'number', value: Number(name.toLowerCase() === 'true') };
      const known = this.#columns.map((c) => c.name);
      const near = nearest(name, known);
      const quotes = beside ? ` A text is written in quotes: ${filterText(name)}.` : '';
      throw new Misread(
        token.at,
        `there is no column '${name}'.${near ? ` Did you mean '${near}'?` : ''}${quotes} Columns: ${listed(known)}`,
      );
    }
    if (!this.#takes('[')) {
      if (column.kind === 'numbers' || column.kind === 'picture')
        throw new Misread(token.at, `'${name}' holds ${column.size} values a row; name one of them, as in ${filterName(name)}[0]`);
      return { kind: 'column', name };
    }
    const index = this.#next();
    if (column.kind !== 'numbers' && column.kind !== 'picture') throw new Misread(index.at, `'${name}' holds a single value a row`);
    if (index.kind !== 'number' || !/^\d+$/.test(index.text) || Number(index.text) >= column.size)
      throw new Misread(index.at, `a place from 0 to ${column.size - 1} is due here, not ${this.#said(index)}`);
    this.#due(']');
    return { kind: 'column', name, index: Number(index.text) };
  }
}

/** Reads a filter over these columns, or says where and why it cannot. */
export const parseFilter = (text: string, columns: readonly FilterColumn[]): ParsedFilter => {
  try {
    return { filter: new Reader(text, columns).whole() };
  } catch (error) {
    if (error instanceof Misread) return { at: error.at, problem: error.message };
    throw error;
  }
};

/** Columns that a filter reads, each once. */
export const columnsOf = (filter: RowFilter): readonly ColumnOperand[] => {
  const found = new Map<string, ColumnOperand>();
  const add = (operand: Operand): void => {
    if (operand.kind === 'column') found.set(`${operand.name}[${operand.index ?? ''}]`, operand);
  };
  const visit = (f: RowFilter): void => {
    if ('left' in f) {
      add(f.left);
      if (f.kind === 'compare') add(f.right);
    } else if (f.kind === 'not') visit(f.of);
    else for (const one of f.of) visit(one);
  };
  visit(filter);
  return [...found.values()];
};
