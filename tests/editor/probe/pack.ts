import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVSIX } from '@vscode/vsce';
import { build } from 'esbuild';
import { root } from '../../../src/build/root.ts';
import { scheme } from './protocol.ts';

const manifest = {
  name: 'probe',
  publisher: 'assay-tests',
  version: '0.0.1',
  engines: { vscode: '^1.108.0' },
  main: './extension.cjs',
  extensionKind: ['workspace'],
  activationEvents: [`onFileSystem:${scheme}`],
  contributes: {
    commands: [
      { command: 'probe.invoke', title: 'Probe: Invoke Tool' },
      { command: 'probe.diagnose', title: 'Probe: Diagnose the Open File' },
    ],
  },
};

/** The path of the probe as a VSIX. */
export const packProbe = async (): Promise<string> => {
  const folder = join(root, 'out/probe');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  await build({
    entryPoints: [join(import.meta.dirname, 'entry.ts')],
    outfile: join(folder, 'extension.cjs'),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    external: ['vscode'],
  });
  const packagePath = join(root, 'out/probe.vsix');
  await createVSIX({ cwd: folder, packagePath, allowMissingRepository: true, skipLicense: true, dependencies: false });
  return packagePath;
};
