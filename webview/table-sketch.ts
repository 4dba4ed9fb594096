import type { TableCard } from '../src/report/report.ts';
import { context2d, el, writeAt } from './element.ts';
import { given, type Words } from './l10n.ts';
import { drawnAt, fitted, type Sketch, stacked, written } from './sketch.ts';
import { cellText, leftOver } from './table.ts';
import { css, theme } from './theme.ts';

/** Rows drawn; the CSV holds all. */
const MOST_ROWS = 100;
const [ROW, GUTTER, WIDEST] = [24, 16, 320];

/** A table as it is read: numbers to the right, a line under each row. */
export const tableSketch = ({ title, columns, rows }: TableCard, titled: boolean): Sketch => {
  const colours = theme();
  const font = (bold: boolean): string => `${bold ? '600 ' : ''}${colours.fontSize}px ${colours.font}`;
  const measuring = context2d(el('canvas'));
  measuring.font = font(false);
  const measure = (text: string): number => measuring.measureText(text).width;
  const shown = rows.slice(0, MOST_ROWS).map((row) => columns.map((column, c) => cellText(row[c] ?? null, column)));
  const widths = columns.map(({ label }, c) => Math.min(WIDEST, Math.max(measure(label), ...shown.map((row) => measure(row[c])))));
  const width = Math.max(
    1,
    widths.reduce((sum, one) => sum + one + GUTTER, -GUTTER),
  );
  const body = drawnAt(width, ROW * (shown.length + 1), (context) => {
    context.font = font(false);
    context.textBaseline = 'middle';
    context.lineWidth = 1;
    const line = (cells: readonly Words[], r: number): void => {
      let x = 0;
      cells.forEach((text, c) => {
        const right = columns[c].type !== 'text';
        context.textAlign = right ? 'right' : 'left';
        writeAt(context, fitted(context, text, widths[c]), right ? x + widths[c] : x, (r + 0.5) * ROW);
        x += widths[c] + GUTTER;
      });
      context.strokeStyle = css(colours.line);
      context.beginPath();
      context.moveTo(0, (r + 1) * ROW - 0.5);
      context.lineTo(width, (r + 1) * ROW - 0.5);
      context.stroke();
    };
    context.fillStyle = css(colours.muted);
    line(
      columns.map(({ label }) => given(label)),
      0,
    );
    context.fillStyle = css(colours.foreground);
    shown.forEach((cells, r) => {
      line(cells, r + 1);
    });
  });
  const left = rows.length - shown.length;
  return stacked([
    ...(titled ? [written(given(title), Math.max(width, 200), { bold: true })] : []),
    body,
    ...(left > 0 ? [written(leftOver(left), Math.max(width, 300), { muted: true })] : []),
  ]);
};
