import { type Command, defineCommand } from '../define.ts';
import { t } from '../l10n.ts';

export const openWalkthrough: Command = defineCommand({
  id: 'assay.openWalkthrough',
  title: 'Get Started',
  icon: '$(mortar-board)',
  run: (host) => host.openWalkthrough(),
});

/** A workspace with data, a recipe and checks, to try everything on. */
export const openSample: Command = defineCommand({
  id: 'assay.openSample',
  title: 'Open Sample Workspace…',
  icon: '$(folder-library)',
  async run(host) {
    const open = await host.emptyFolder();
    if (open !== undefined) return host.layOutSample(open);
    const parent = await host.open(t('Folder to Put the Sample Workspace Into'), 'folder');
    if (parent !== undefined) await host.layOutSample(parent);
  },
});
