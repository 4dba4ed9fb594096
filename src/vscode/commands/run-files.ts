import { type Command, defineCommand } from '../define.ts';

export const revealRun: Command = defineCommand({
  id: 'assay.revealRun',
  title: 'Reveal Files',
  palette: 'false',
  menus: { 'view/item/context': { when: 'view == assay.runs && viewItem =~ /^run/', group: '9_file@1' } },
  async run(host, target) {
    const [id] = target.runs ?? [];
    if (id !== undefined) await host.reveal(host.runFile(id));
  },
});

export const copyRunLink: Command = defineCommand({
  id: 'assay.copyRunLink',
  title: 'Copy Link',
  palette: 'false',
  menus: { 'view/item/context': { when: 'view == assay.runs && viewItem == run', group: '3_save@2' } },
  async run(host, target) {
    const [id] = target.runs ?? [];
    if (id !== undefined) await host.copyRunLink(id);
  },
});
