import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';
import { root as here } from './root.ts';

export type Target = 'cli' | 'mcp' | 'process' | 'extension' | 'webview';

export interface BundleRequest {
  /** The repository; this one where absent. */
  readonly root?: string;
  /** Where the bundles go; `dist` of the repository where absent. */
  readonly out?: string;
  readonly only?: readonly Target[];
  /** Minified, without source maps. */
  readonly production?: boolean;
}

/** What one bundle holds: `inputs` are the source files that ended in it, with the bytes they take. */
export interface Bundle {
  readonly target: Target;
  readonly file: string;
  readonly bytes: number;
  readonly inputs: Readonly<Record<string, number>>;
  /** Modules left for Node or VS Code to find. */
  readonly external: readonly string[];
}

export interface BundleResult {
  readonly bundles: readonly Bundle[];
  readonly metafile: Metafile;
}

/** CommonJS packages inside an ES module call `require`. */
const requireBanner =
  "import { createRequire as assayCreateRequire } from 'node:module';const require = assayCreateRequire(import.meta.url);";

const node: BuildOptions = {
  platform: 'node',
  target: 'node20',
  format: 'esm',
  external: ['onnxruntime-node'],
  mainFields: ['module', 'main'],
  banner: { js: requireBanner },
};
const page: BuildOptions = { platform: 'browser', target: 'es2022', format: 'iife' };

/** Generated data as a text that is parsed: the engine reads that faster than the same as an expression. */
const parsedData: Plugin = {
  name: 'parsed-data',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/]generated[\\/].*\.json$/ }, ({ path }) => {
      const text = JSON.stringify(JSON.parse(readFileSync(path, 'utf8')));
      return { contents: `export default JSON.parse(${JSON.stringify(text)});`, loader: 'js' };
    }),
};
const editor: BuildOptions = {
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  // jsonc-parser's CommonJS form loads its parts in a way that no bundler can follow.
  mainFields: ['module', 'main'],
  external: ['vscode', 'onnxruntime-node'],
  plugins: [parsedData],
  define: { 'import.meta.url': 'assayModuleUrl' },
  banner: { js: "const assayModuleUrl = require('node:url').pathToFileURL(__filename).href;" },
};

const recipes: { readonly [T in Target]: readonly { readonly entry: string; readonly file: string; readonly options: BuildOptions }[] } = {
  cli: [{ entry: 'src/cli/main.ts', file: 'cli.js', options: { ...node, banner: { js: `#!/usr/bin/env node\n${requireBanner}` } } }],
  // Loaded by `assay serve-mcp` alone.
  mcp: [{ entry: 'src/cli/mcp/serve.ts', file: 'mcp.js', options: node }],
  process: [{ entry: 'src/jobs/process.ts', file: 'process.js', options: node }],
  extension: [
    { entry: 'src/vscode/activate.ts', file: 'extension.cjs', options: editor },
    // Loaded by the activation's first use, else right after it.
    { entry: 'src/vscode/window.ts', file: 'window.cjs', options: editor },
  ],
  webview: [
    { entry: 'webview/main.ts', file: 'webview.js', options: page },
    { entry: 'webview/style.css', file: 'webview.css', options: page },
  ],
};

/**
 * VS Code's API is asked for as it is: esbuild copies its some hundred properties for each file that imports it, which was a third of
 * the activation's time.
 */
const withPlainApi = (file: string): void =>
  writeFileSync(file, readFileSync(file, 'utf8').replace(/(?<![\w$])[\w$]+\((require\("vscode"\)),\s*1\)/g, '$1'));

/** Builds the bundles of the targets named, or of all. */
export const bundle = async ({
  root = here,
  out = join(root, 'dist'),
  only,
  production = false,
}: BundleRequest = {}): Promise<BundleResult> => {
  const targets = only ?? (Object.keys(recipes) as Target[]);
  const bundles: Bundle[] = [];
  const metafile: Metafile = { inputs: {}, outputs: {} };
  for (const target of targets) {
    for (const { entry, file, options } of recipes[target]) {
      if (!existsSync(join(root, entry))) throw new Error(`Cannot bundle '${target}': ${entry} does not exist.`);
      const built = await build({
        ...options,
        absWorkingDir: root,
        entryPoints: [entry],
        outfile: join(out, file),
        bundle: true,
        metafile: true,
        minify: production,
        sourcemap: production ? false : 'linked',
        legalComments: 'none',
        logLevel: 'warning',
      });
      if (production && target === 'extension') withPlainApi(join(out, file));
      Object.assign(metafile.inputs, built.metafile.inputs);
      Object.assign(metafile.outputs, built.metafile.outputs);
      const output = Object.values(built.metafile.outputs).find((one) => one.entryPoint === entry);
      if (output === undefined) throw new Error(`esbuild gave no output for ${entry}.`);
      bundles.push({
        target,
        file: join(out, file),
        bytes: output.bytes,
        inputs: Object.fromEntries(Object.entries(output.inputs).map(([path, { bytesInOutput }]) => [path, bytesInOutput])),
        external: output.imports.filter((one) => one.external).map((one) => one.path),
      });
    }
  }
  return { bundles, metafile };
};
