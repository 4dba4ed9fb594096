import { Fault } from '../../base/fault.ts';
import { format } from '../../report/format.ts';
import type { Tasks } from '../../report/tasks.ts';
import { type Command, defineCommand, type Host } from '../define.ts';

type Devices = Tasks['devices']['give'];

const names: Readonly<Record<string, string>> = {
  cpu: 'the processor',
  cuda: 'CUDA',
  webgpu: 'WebGPU',
  dml: 'DirectML',
  coreml: 'Core ML',
};
/** On which devices models can run instead. */
const usable = (devices: Devices): string => devices.flatMap(({ provider, ok }) => (ok ? [names[provider] ?? provider] : [])).join(', ');
const missing = (devices: Devices): readonly string[] => devices.find(({ provider }) => provider === 'cuda')?.missing ?? [];

const explain = async (host: Host, sentence: string): Promise<void> =>
  void (await host.say(`${sentence} Here models run on: ${usable(await host.devices())}.`));

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
      await host.say(['CUDA support is installed.', ...(lacking.length > 0 ? lacking : ['Nothing that it needs is missing.'])].join(' '));
      return;
    }
    const { wanted, have, disk } = await host.working('Looking for the CUDA libraries', (_, signal) => cuda.plan(signal));
    const rest = have > 0 ? `${format(wanted.bytes - have, 'bytes')} of ${format(wanted.bytes, 'bytes')}` : format(wanted.bytes, 'bytes');
    const question = [
      `Download ${rest} from ${new URL(wanted.url).host} (${wanted.name} ${wanted.version})? It needs ${format(disk, 'bytes')} of disk while it is unpacked, its checksum is verified, and it can be removed again.`,
      ...lacking,
    ].join('\n\n');
    if (!(await host.confirm(question, 'Download'))) return;
    await host.working('CUDA support', (report, signal) =>
      cuda.install(wanted, {
        signal,
        onProgress: (bytes, of) => report(bytes / of, `${format(bytes, 'bytes')} of ${format(of, 'bytes')}`),
      }),
    );
    host.renewJobs();
    const found = (await host.devices()).find(({ provider }) => provider === 'cuda');
    await host.say(`CUDA support is installed. ${found?.missing?.join(' ') ?? `${found?.reason ?? ''}.`}`);
  },
});

export const removeCuda: Command = defineCommand({
  id: 'assay.removeCuda',
  title: 'Remove CUDA Support',
  async run(host) {
    const freed = await host.cuda.remove();
    host.renewJobs();
    await host.say(freed > 0 ? `CUDA support was removed; ${format(freed, 'bytes')} are free again.` : 'CUDA support was not installed.');
  },
});
