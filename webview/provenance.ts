import type { Provenance } from '../src/report/report.ts';
import { el } from './element.ts';
import { format, given, t, type Words } from './l10n.ts';

const fact = (name: Words, ...value: readonly (Node | Words | ' ' | false | undefined)[]): readonly Node[] => [
  el('dt', {}, name),
  el('dd', {}, ...value.map((part) => (typeof part === 'string' ? part : part || null))),
];
const hash = (sha256: string | undefined): Node | false =>
  sha256 !== undefined &&
  sha256 !== '' &&
  el('code', { class: 'hash', title: given(sha256) }, given(['sha256', `${sha256.slice(0, 12)}…`].join(' ')));

const value = (option: unknown): string => (typeof option === 'object' ? JSON.stringify(option) : String(option));

const listed = (all: Readonly<Record<string, unknown>>): Words =>
  given(
    Object.entries(all)
      .map(([name, one]) => `${name} ${value(one)}`)
      .join(', '),
  );

/** What was asked of which device, and what did the work. */
export const deviceSentence = ({ device }: Provenance): Words => {
  const asked =
    device.requested === device.actual ? t('{0}, as asked', device.actual) : t('{0}; asked for {1}', device.actual, device.requested);
  return device.reason ? given(`${asked} (${device.reason})`) : asked;
};

/** Where the numbers come from: enough to measure them again. */
export const provenanceOf = (p: Provenance): HTMLElement =>
  el(
    'details',
    { class: 'provenance' },
    el('summary', {}, t('Where this was measured')),
    el(
      'dl',
      {},
      ...(p.modelPath !== undefined ? fact(t('Model'), given(p.modelPath), ' ', hash(p.modelSha256)) : []),
      ...(p.against?.modelPath !== undefined ? fact(t('Compared with'), given(p.against.modelPath), ' ', hash(p.against.modelSha256)) : []),
      ...(p.against?.dataPath !== undefined && p.against.dataPath !== p.dataPath
        ? fact(
            p.against.modelPath === undefined ? t('Compared with') : t('Its data'),
            given(p.against.dataPath),
            ' ',
            hash(p.against.dataSha256),
          )
        : []),
      ...fact(t('Data'), given(p.dataPath), ' ', hash(p.dataSha256)),
      ...fact(t('Rows'), p.split === undefined ? format(p.rows, 'count') : t('{0}, split {1}', format(p.rows, 'count'), p.split)),
      ...fact(t('Device'), deviceSentence(p)),
      ...fact(t('Seed'), given(String(p.seed))),
      ...fact(t('Options'), listed(p.options) || t('none')),
      ...fact(t('Time'), t('{0}, started {1}', format(p.seconds, 'seconds'), p.startedAt)),
      ...fact(t('Versions'), listed(p.versions)),
    ),
  );
