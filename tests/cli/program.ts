import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after } from 'node:test';

export const root = resolve(import.meta.dirname, '../..');
export const fixture = (path: string): string => join(root, 'tests/fixtures', path);

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the built program as a user does, in the folder given. */
export const assay = (args: readonly string[], cwd: string = root): Promise<Ended> =>
  new Promise((done) => {
    const child = spawn(process.execPath, [join(root, 'dist/cli.js'), ...args], { cwd });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    child.on('close', (code) => done({ code, out, err }));
  });

/** A folder of this test file's own, gone when it ends. */
export const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'assay-cli-'));
  after(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

/** The last line of the error stream that is the program's own sentence. */
export const sentence = ({ err }: Ended): string => err.split('\n').findLast((line) => line.startsWith('assay: ')) ?? err;
