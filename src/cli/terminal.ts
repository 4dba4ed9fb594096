import { readFile } from 'node:fs/promises';
import type { Catalogue } from '../base/catalogue.ts';
import type { Supervisor } from '../jobs/supervisor.ts';
import { writeWhole } from '../jobs/write-file.ts';
import type { Terminal } from './define.ts';
import { timeLeft } from './time-left.ts';

/** A line on the error stream that is drawn over while a job runs; without a TTY one plain line every tenth of the way. */
const progressBar = (title: string, stream: NodeJS.WriteStream): { show(fraction: number, text: string): void; end(): void } => {
  let told = -1;
  const began = performance.now();
  return {
    show(fraction, text) {
      const done = Math.max(0, Math.min(1, fraction));
      const left = timeLeft((performance.now() - began) / 1000, done);
      const said = left === '' ? text : `${text}, ${left}`;
      if (stream.isTTY) {
        const line = `${title} ${'█'.repeat(Math.round(done * 24)).padEnd(24, '░')} ${String(Math.round(done * 100)).padStart(3)} %  ${said}`;
        stream.write(`\r\x1b[2K${line.slice(0, Math.max(20, (stream.columns ?? 100) - 1))}`);
      } else if (Math.floor(done * 10) > told) {
        told = Math.floor(done * 10);
        stream.write(`${title} ${Math.round(done * 100)} %  ${said}\n`);
      }
    },
    end() {
      if (stream.isTTY) stream.write('\r\x1b[2K');
    },
  };
};

/** The real terminal: jobs run in the process behind `supervisor`, their progress is drawn on the error stream. */
export const terminal = (catalogue: Catalogue, supervisor: Supervisor, signal: AbortSignal, pages: URL): Terminal => ({
  catalogue,
  signal,
  jobs: supervisor,
  program: pages,
  colour: Boolean(process.stdout.isTTY) && !process.env.NO_COLOR,
  width: Math.min(process.stdout.columns ?? 100, 140),
  print: (text) => void process.stdout.write(`${text}\n`),
  async submit(title, task, ask, watch) {
    const bar = progressBar(title, process.stderr);
    try {
      return await supervisor.submit(task, ask, { signal, onProgress: (fraction, text) => bar.show(fraction, text), ...watch });
    } finally {
      bar.end();
    }
  },
  async save(path, text) {
    if (path === '-') process.stdout.write(text);
    else await writeWhole(path, text);
  },
  async page() {
    const [script, style] = await Promise.all([
      readFile(new URL('webview.js', pages), 'utf8'),
      readFile(new URL('webview.css', pages), 'utf8'),
    ]);
    return { script, style };
  },
});
