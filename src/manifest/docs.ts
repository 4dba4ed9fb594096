import type { CatalogueDiagnostic } from '../base/catalogue.ts';
import { expected } from '../base/option.ts';

const kebab = (name: string): string => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

/** The page of one diagnostic, shown by "Learn more". */
export const page = (d: CatalogueDiagnostic): string => {
  const options = Object.entries(d.options).map(
    ([name, o]) => `| \`${name}\` | ${o.default === '' ? '' : `\`${o.default}\``} | ${o.help} (${expected(o)}) |`,
  );
  return [
    `# ${d.title}`,
    '',
    d.question,
    '',
    `Source: ${d.source}. Needs: ${d.needs.map((noun) => (noun === 'groups' ? 'groups (where the data have them)' : noun)).join(', ')}. ${d.needsModel ? 'Needs a model.' : 'A table of predictions is enough.'}`,
    '',
    `- Palette: **Assay: ${d.title}**`,
    `- \`assay.json\`: \`{ "name": "…", "run": "${d.id}", "model": "…", "data": "…" }\``,
    `- Command line: \`assay run ${d.id} --model model.onnx --data data.npz${Object.keys(d.options).length ? ` --${kebab(Object.keys(d.options)[0])} …` : ''}\``,
    '',
    ...(options.length ? ['| option | default | what it does |', '|---|---|---|', ...options, ''] : []),
  ].join('\n');
};
