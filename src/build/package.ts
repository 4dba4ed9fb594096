import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVSIX } from '@vscode/vsce';
import { bundle } from './bundle.ts';
import { root } from './root.ts';

/** The VSIX of this platform: bundles, media, and the one ONNX Runtime binary it needs. */
export const packageExtension = async (): Promise<{ readonly path: string; readonly bytes: number }> => {
  await bundle({ production: true });
  const platform = `${process.platform}-${process.arch}`;
  mkdirSync(join(root, 'out'), { recursive: true });
  const ignoreFile = join(root, 'out', '.vscodeignore');
  const binary = `node_modules/onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}`;
  statSync(join(root, binary));
  writeFileSync(ignoreFile, `${readFileSync(join(root, '.vscodeignore'), 'utf8')}\n!${binary}/**\n`);
  const path = join(root, 'out', `assay-${platform}.vsix`);
  await createVSIX({
    cwd: root,
    packagePath: path,
    target: platform,
    ignoreFile,
    allowMissingRepository: true,
    rewriteRelativeLinks: false,
  });
  return { path, bytes: statSync(path).size };
};

if (process.argv[1] === import.meta.filename) {
  const { path, bytes } = await packageExtension();
  console.log(`${path}  ${(bytes / 1e6).toFixed(1)} MB`);
}
