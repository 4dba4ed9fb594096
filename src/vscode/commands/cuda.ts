import { Fault } from '../../base/fault.ts';
import { format } from '../../report/format.ts';
import type { Tasks } from '../../report/tasks.ts';
import { type Command, defineCommand, type Host } from '../define.ts';
import { t } from '../l10n.ts';

type Devices = Tasks['devices']['give'];

const names: Readonly<Record<string, string>> = {
  cuda: 'CUDA',
  webgpu: 'WebGPU',
  dml: 'DirectML',
  coreml: 'Core ML',
};
/** On which devices models can run instead. */
const usable = (devices: Devices): string =>
  devices.flatMap(({ provider, ok }) => (ok ? [provider === 'cpu' ? t('the processor') : (names[provider] ?? provider)] : [])).join(', ');
const missing = (devices: Devices): readonly string[] => devices.find(({ provider }) => provider === 'cuda')?.missing ?? [];

const explain = async (host: Host, sentence: string): Promise<void> =>
  void (await host.say(t('{0} Here models run on: {1}.', sentence, usable(await host.devices()))));

export const installCuda: Command = defineCommand({
  id: 'assay.installCuda',
  title: 'Install CUDA Support…',
  async run(host) {
    const { cuda } = host;
    const { platform, arch } = process;
    if (platform !== 'linux' || arch !== 'x64')
      return explain(host, new Fault('cuda/platform', { platform: `${platform}-${arch}` }).message);
    const lacking = missing(await host.devices());
    if (await cuda.installed()) {
      await cuda.link();
      await host.say(
        [t('CUDA support is installed.'), ...(lacking.length > 0 ? lacking : [t('Nothing that it needs is missing.')])].join(' '),
      );
      return;
    }
    const { wanted, have, disk } = await host.working(t('Looking for the CUDA libraries'), (_, signal) => cuda.plan(signal));
    const rest =
      have > 0 ? t('{0} of {1}', format(wanted.bytes - have, 'bytes'), format(wanted.bytes, 'bytes')) : format(wanted.bytes, 'bytes');
    const question = [
      t(
        'Download {0} from {1} ({2})? It needs {3} of disk while it is unpacked, its checksum is verified, and it can be removed again.',
        rest,
        new URL(wanted.url).host,
        `${wanted.name} ${wanted.version}`,
        format(disk, 'bytes'),
      ),
      ...lacking,
    ].join('\n\n');
    if (!(await host.confirm(question, t('Download')))) return;
    await host.working(t('CUDA support'), (report, signal) =>
      cuda.install(wanted, {
        signal,
        onProgress: (bytes, of) => report(bytes / of, t('{0} of {1}', format(bytes, 'bytes'), format(of, 'bytes'))),
      }),
    );
    host.renewJobs();
    const found = (await host.devices()).find(({ provider }) => provider === 'cuda');
    await host.say([t('CUDA support is installed.'), found?.missing?.join(' ') ?? `${found?.reason ?? ''}.`].join(' '));
  },
});

export const removeCuda: Command = defineCommand({
  id: 'assay.removeCuda',
  title: 'Remove CUDA Support',
  async run(host) {
    const freed = await host.cuda.remove();
    host.renewJobs();
    await host.say(
      freed > 0 ? t('CUDA support was removed; {0} are free again.', format(freed, 'bytes')) : t('CUDA support was not installed.'),
    );
  },
});
