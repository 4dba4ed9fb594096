import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generatedFiles } from '../manifest/files.ts';
import { root } from './root.ts';

/** `npm run manifest`: writes every generated file, and removes pages of diagnostics that are gone. */
const files = generatedFiles(
  (path) => readFileSync(join(root, path), 'utf8'),
  (folder) => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }),
);
const docs = join(root, 'media/docs');
mkdirSync(docs, { recursive: true });
for (const name of readdirSync(docs)) if (!files.has(`media/docs/${name}`)) rmSync(join(docs, name));
for (const [path, text] of files) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
console.log(`${files.size} files written`);
