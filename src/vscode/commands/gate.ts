import type { RunRequest } from '../../base/request.ts';
import { format } from '../../report/format.ts';
import { type Choice, type Command, defineCommand } from '../define.ts';
import { freshName, gateable, lessIsBetter, withGate } from '../gate.ts';
import { standingOf } from '../history.ts';
import { t } from '../l10n.ts';

type Limit = 'min' | 'max';

export const addGate: Command = defineCommand({
  id: 'assay.addGate',
  title: 'Add Gate…',
  icon: '$(law)',
  menus: { 'view/item/context': { when: 'view == assay.runs && viewItem == run', group: '2_run@3' } },
  async run(host, target) {
    const title = t('Add Gate');
    const suites = await host.suites();
    const usable = (await host.runs()).flatMap((run) => {
      const found = run.kind === 'run' && standingOf(run) === 'done' ? gateable(run.request as RunRequest, suites) : undefined;
      return found ? [{ run, ...found }] : [];
    });
    const choices = usable.map(
      (one): Choice<(typeof usable)[number]> => ({
        label: one.run.title,
        description: one.run.subject,
        detail: new Date(one.run.startedAt).toLocaleString(),
        icon: 'pass',
        value: one,
      }),
    );
    const none = t('No finished run has its model and data named in an assay.json; run a diagnostic on those first');
    const meant =
      usable.find(({ run }) => run.id === target.runs?.[0]) ??
      (await host.pick(title, choices.length > 0 ? t('Run whose number is held to a limit') : none, choices));
    if (!meant) return;
    const { run, suite, model, data } = meant;
    const request = run.request as RunRequest;
    const numbers = Object.entries(run.reports[0].headline).filter(([name]) => name !== 'rows');
    const number = await host.pick(
      title,
      t('Number'),
      numbers.map(([name, value]) => ({ label: name, description: format(value), value: [name, value] as const })),
    );
    if (!number) return;
    const [name, value] = number;
    const sides: Choice<Limit>[] = [
      { label: t('At most'), icon: 'arrow-down', detail: t('It fails where {0} is larger.', name), value: 'max' },
      { label: t('At least'), icon: 'arrow-up', detail: t('It fails where {0} is smaller.', name), value: 'min' },
    ];
    const side = await host.pick(title, t('{0} is {1} now', name, format(value)), lessIsBetter(name) ? sides : sides.toReversed());
    if (!side) return;
    const proposed = Number((side === 'max' ? value + Math.abs(value) * 0.1 : value - Math.abs(value) * 0.02).toPrecision(3));
    const typed = await host.text(
      title,
      side === 'max' ? t('Largest {0} that passes', name) : t('Smallest {0} that passes', name),
      String(proposed),
      (text) => (text.trim() !== '' && Number.isFinite(Number(text)) ? undefined : t('Give a number.')),
    );
    if (typed === undefined) return;
    const check = {
      name: freshName(
        `${run.title} of ${model ?? data}`,
        suite.checks.map((entry) => entry.name),
      ),
      run: request.id,
      ...(model === undefined ? {} : { model }),
      data,
      ...(Object.keys(request.options).length > 0 ? { options: request.options } : {}),
    };
    const limit = side === 'max' ? { max: Number(typed) } : { min: Number(typed) };
    await host.rewrite(suite.path, (text) => withGate(text, check, name, limit));
    host.reached('gated');
  },
});
