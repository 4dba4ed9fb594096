import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fromJson } from '../../src/report/json.ts';
import type { Report } from '../../src/report/report.ts';

const at = (path: string): URL => new URL(path, import.meta.url);

export const reportText = (name: string): string => readFileSync(at(`../fixtures/reports/${name}.json`), 'utf8');
export const sampleReport = (name: string): Report => fromJson(reportText(name), `${name}.json`);

/** Compares with the golden file; ASSAY_UPDATE=1 writes it anew, and the difference is reviewed. */
export const golden = (name: string, text: string): void => {
  const file = at(`../golden/report/${name}`);
  if (process.env.ASSAY_UPDATE === '1' || !existsSync(file)) {
    assert.ok(process.env.ASSAY_UPDATE === '1', `golden ${name} is missing: run with ASSAY_UPDATE=1 and review it`);
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, 'utf8'));
};
