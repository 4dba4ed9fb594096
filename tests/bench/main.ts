import { editorFigures } from './editor.ts';
import { gradientFigures } from './gradient.ts';
import { processFigures } from './process.ts';
import { trainingFigures } from './training.ts';

/** `npm run bench [-- SECTION…]`: figures of one run on this machine as JSON. Ratios within a run travel; absolute times do not. */
const sections: Readonly<Record<string, () => Promise<unknown>>> = {
  process: processFigures,
  training: trainingFigures,
  gradient: async () => [
    ...(await gradientFigures('lenet_mnist.onnx', [32, 128])),
    ...(await gradientFigures('resnet8_cifar10.onnx', [32, 128])),
  ],
  editor: editorFigures,
};
// Standard output holds the JSON and nothing else; packaging the extension talks.
console.log = console.error;
const words = process.argv.slice(2);
const unknown = words.find((w) => !Object.hasOwn(sections, w));
if (unknown !== undefined) {
  console.error(`Unknown section '${unknown}'. Sections: ${Object.keys(sections).join(', ')}.`);
  process.exit(2);
}
const result: Record<string, unknown> = { node: process.version, platform: `${process.platform}-${process.arch}` };
for (const [name, measure] of Object.entries(sections)) {
  if (words.length > 0 && !words.includes(name)) continue;
  process.stderr.write(`${name}…\n`);
  result[name] = await measure();
}
process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
