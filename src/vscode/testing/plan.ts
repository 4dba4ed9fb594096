import type { Device } from '../../base/request.ts';
import type { SuiteFile } from '../define.ts';
import { t } from '../l10n.ts';
import { located } from '../located.ts';

/** How far a check looks: a few rows while working, all of them before trusting it. */
export type Depth = 'full' | 'quick';
export const quickRows = 200;

export interface Profile {
  readonly label: string;
  readonly depth: Depth;
  /** Absent: as the settings say. */
  readonly device?: Device;
}

const titles: Partial<Readonly<Record<Device, string>>> = {
  cpu: 'CPU',
  cuda: 'CUDA',
  webgpu: 'WebGPU',
  dml: 'DirectML',
  coreml: 'Core ML',
};

/** Ways to run checks: all rows or the first ones, on the device of the settings or on one that this machine has. */
export const profilesFor = (devices: readonly Device[]): readonly Profile[] => [
  { label: t('All Rows'), depth: 'full' },
  { label: t('Quick: First {0} Rows', quickRows), depth: 'quick' },
  ...devices.flatMap((device): Profile[] => [
    { label: t('All Rows on {0}', titles[device] ?? device), depth: 'full', device },
    { label: t('Quick on {0}', titles[device] ?? device), depth: 'quick', device },
  ]),
];

/** Files that a check depends on → names of the checks: what is to run again when one of them changes. */
export const dependents = ({ path, models, datasets, checks }: Omit<SuiteFile, 'label'>): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, readonly string[]>();
  const add = (file: string, check: string): void => {
    const known = found.get(file) ?? [];
    if (!known.includes(check)) found.set(file, [...known, check]);
  };
  for (const { name, value } of checks) {
    add(path, name);
    for (const used of [value.model, value.against]) {
      const model = models.find((m) => m.name === used);
      if (model) add(located(path, model.value).path, name);
    }
    for (const used of [value.data, value.against, value.againstData]) {
      const data = datasets.find((d) => d.name === used);
      if (!data) continue;
      const { path: file, labels } = located(path, data.value);
      add(file, name);
      if (labels !== undefined) add(located(path, { path: labels }).path, name);
    }
  }
  return found;
};
