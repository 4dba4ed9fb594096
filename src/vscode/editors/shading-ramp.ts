import * as vscode from 'vscode';
import type { Mark } from '../insight/marks.ts';
import { type Ground, steps, styleOf } from '../insight/ramp.ts';

/** The sixteen kinds of decoration that all shaded texts share, and one for what was not seen. */
export interface ShadingRamp extends vscode.Disposable {
  /** The theme is another, and so are the colours: what is shaded is to be painted again. */
  readonly changed: vscode.Event<void>;
  paint(editor: vscode.TextEditor, marks: readonly Mark[], rangeOf: (mark: Mark) => vscode.Range, unseen: readonly vscode.Range[]): void;
  clear(editor: vscode.TextEditor): void;
}

const grounds: Readonly<Record<vscode.ColorThemeKind, Ground>> = {
  [vscode.ColorThemeKind.Light]: 'light',
  [vscode.ColorThemeKind.Dark]: 'dark',
  [vscode.ColorThemeKind.HighContrast]: 'contrast dark',
  [vscode.ColorThemeKind.HighContrastLight]: 'contrast light',
};

const typesFor = (ground: Ground): ReadonlyMap<number, vscode.TextEditorDecorationType> =>
  new Map(
    steps.map((step) => {
      const { background, line, ruler } = styleOf(step, ground);
      return [
        step,
        vscode.window.createTextEditorDecorationType({
          ...(background === undefined ? {} : { backgroundColor: background }),
          // Only a line below: borders at the other sides would stand between the tokens of a word.
          border: line,
          borderWidth: `0 0 ${line.split(' ')[0]} 0`,
          rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
          ...(ruler === undefined ? {} : { overviewRulerColor: ruler, overviewRulerLane: vscode.OverviewRulerLane.Center }),
        }),
      ];
    }),
  );

export const shadingRamp = (): ShadingRamp => {
  const changed = new vscode.EventEmitter<void>();
  const faded = vscode.window.createTextEditorDecorationType({ opacity: '0.45' });
  let types = typesFor(grounds[vscode.window.activeColorTheme.kind]);
  const drop = (): void => {
    for (const type of types.values()) type.dispose();
  };
  const themed = vscode.window.onDidChangeActiveColorTheme(({ kind }) => {
    drop();
    types = typesFor(grounds[kind]);
    changed.fire();
  });
  return {
    changed: changed.event,
    paint(editor, marks, rangeOf, unseen) {
      const ranges = new Map(steps.map((step): [number, vscode.Range[]] => [step, []]));
      for (const mark of marks) ranges.get(mark.step)?.push(rangeOf(mark));
      for (const [step, type] of types) editor.setDecorations(type, ranges.get(step) ?? []);
      editor.setDecorations(faded, [...unseen]);
    },
    clear(editor) {
      for (const type of [...types.values(), faded]) editor.setDecorations(type, []);
    },
    dispose() {
      drop();
      vscode.Disposable.from(changed, themed, faded).dispose();
    },
  };
};
