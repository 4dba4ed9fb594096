import { isDataFile } from '../contributions.ts';
import { type Command, defineCommand } from '../define.ts';
import { t } from '../l10n.ts';
import { chooseData } from './subject.ts';

export const openData: Command = defineCommand({
  id: 'assay.openData',
  title: 'Open as Dataset',
  icon: '$(table)',
  menus: {
    'explorer/context': { when: `resourceScheme == file && (explorerResourceIsFolder || ${isDataFile})`, group: 'navigation@41' },
    'view/item/context': { when: 'viewItem == dataset', group: 'inline@3', also: '1_open@1' },
  },
  async run(host, target) {
    const data = await chooseData(host, t('Open as Dataset'), target, 'none', [], t('Dataset'));
    if (data && data !== 'options') await host.showData(data.ref);
  },
});
