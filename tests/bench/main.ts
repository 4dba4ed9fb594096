import { attributionFigures } from './attribution.ts';
import { auditFigures } from './audit.ts';
import { calibrationFigures } from './calibration.ts';
import { editorFigures } from './editor.ts';
import { engineFigures } from './engine.ts';
import { mapsFigures } from './maps.ts';
import { metricsFigures } from './metrics.ts';
import { processFigures } from './process.ts';
import { readerFigures } from './readers.ts';
import { recipeFigures } from './recipes.ts';
import { stressFigures } from './stress.ts';
import { trainingFigures } from './training.ts';

/** `npm run bench [-- SECTION[:PART]…]`: figures of one run on this machine as JSON. Ratios within a run travel; absolute times do not. */
const sections: Readonly<Record<string, (words: readonly string[]) => Promise<unknown>>> = {
  calibration: calibrationFigures,
  process: processFigures,
  training: trainingFigures,
  recipes: recipeFigures,
  engine: engineFigures,
  attribution: attributionFigures,
  metrics: metricsFigures,
  maps: mapsFigures,
  audit: auditFigures,
  readers: readerFigures,
  editor: editorFigures,
  stress: stressFigures,
};
// Standard output holds the JSON and nothing else; packaging the extension talks.
console.log = console.error;
const words = process.argv.slice(2).map((word) => word.split(':'));
const unknown = words.map(([section]) => section).find((w) => !Object.hasOwn(sections, w));
if (unknown !== undefined) {
  console.error(`Unknown section '${unknown}'. Sections: ${Object.keys(sections).join(', ')}.`);
  process.exit(2);
}
const result: Record<string, unknown> = { node: process.version, platform: `${process.platform}-${process.arch}` };
for (const [name, measure] of Object.entries(sections)) {
  const asked = words.filter(([section]) => section === name);
  if (words.length > 0 && asked.length === 0) continue;
  process.stderr.write(`${name}…\n`);
  result[name] = await measure(asked.flatMap(([, ...parts]) => parts));
}
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
