import { format } from '../src/report/format.ts';
import type { Provenance } from '../src/report/report.ts';
import { el } from './element.ts';

const fact = (name: string, ...value: readonly (Node | string | false | undefined)[]): readonly Node[] => [
  el('dt', {}, name),
  el('dd', {}, ...value.map((part) => (typeof part === 'string' ? part : part || null))),
];
const hash = (sha256: string | undefined): Node | false =>
  sha256 !== undefined && sha256 !== '' && el('code', { class: 'hash', title: sha256 }, `sha256 ${sha256.slice(0, 12)}…`);

const value = (option: unknown): string => (typeof option === 'object' ? JSON.stringify(option) : String(option));

/** What was asked of which device, and what did the work. */
export const deviceSentence = ({ device }: Provenance): string => {
  const asked = device.requested === device.actual ? `${device.actual}, as asked` : `${device.actual}; asked for ${device.requested}`;
  return device.reason ? `${asked} (${device.reason})` : asked;
};

/** Where the numbers come from: enough to measure them again. */
export const provenanceOf = (p: Provenance): HTMLElement =>
  el(
    'details',
    { class: 'provenance' },
    el('summary', {}, 'Where this was measured'),
    el(
      'dl',
      {},
      ...(p.modelPath !== undefined ? fact('Model', p.modelPath, ' ', hash(p.modelSha256)) : []),
      ...(p.against?.modelPath !== undefined ? fact('Compared with', p.against.modelPath, ' ', hash(p.against.modelSha256)) : []),
      ...(p.against?.dataPath !== undefined && p.against.dataPath !== p.dataPath
        ? fact(p.against.modelPath === undefined ? 'Compared with' : 'Its data', p.against.dataPath, ' ', hash(p.against.dataSha256))
        : []),
      ...fact('Data', p.dataPath, ' ', hash(p.dataSha256)),
      ...fact('Rows', `${format(p.rows, 'count')}${p.split !== undefined ? `, split ${p.split}` : ''}`),
      ...fact('Device', deviceSentence(p)),
      ...fact('Seed', String(p.seed)),
      ...fact(
        'Options',
        Object.entries(p.options)
          .map(([name, option]) => `${name} ${value(option)}`)
          .join(', ') || 'none',
      ),
      ...fact('Time', `${format(p.seconds, 'seconds')}, started ${p.startedAt}`),
      ...fact(
        'Versions',
        Object.entries(p.versions)
          .map(([name, version]) => `${name} ${version}`)
          .join(', '),
      ),
    ),
  );
