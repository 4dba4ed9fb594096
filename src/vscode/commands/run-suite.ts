import { type Command, defineCommand, type Host, type Target } from '../define.ts';
import { t } from '../l10n.ts';

const chooseSuite = async (host: Host, target: Target): Promise<string | undefined> => {
  const meant = target.suite ?? target.file;
  if (meant !== undefined) return meant;
  const suites = (await host.suites()).filter(({ checks }) => checks.length > 0);
  if (suites.length === 1) return suites[0].path;
  const chosen = await host.pick(t('Run Suite'), t('Suite'), [
    ...suites.map(({ path, label, checks }) => ({
      label,
      description: checks.length === 1 ? t('1 check') : t('{0} checks', checks.length),
      icon: 'checklist',
      value: path,
    })),
    { label: t('Choose an assay.json…'), icon: 'folder-opened', group: t('elsewhere'), value: '' },
  ]);
  return chosen === '' ? host.open(t('Suite'), { [t('Suites')]: ['json'] }) : chosen;
};

export const runSuite: Command = defineCommand({
  id: 'assay.runSuite',
  title: 'Run Suite',
  icon: '$(run-all)',
  needsTrust: true,
  menus: {
    'editor/title': { when: 'resourceFilename == assay.json && resourceScheme == file', group: 'navigation@1' },
    'explorer/context': { when: 'resourceFilename == assay.json && resourceScheme == file', group: '7_assay@1' },
    'view/title': { when: 'view == assay.runs', group: 'navigation@2' },
  },
  async run(host, target) {
    const path = await chooseSuite(host, target);
    if (path === undefined) return;
    await host.launch({
      task: 'suite',
      title: target.check ?? 'Suite',
      subject: host.label(path),
      ask: { path, device: host.device, seed: host.seed, ...(target.check === undefined ? {} : { only: [target.check] }) },
    });
  },
});
