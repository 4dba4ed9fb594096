import type { Chosen, Options } from '../base/option.ts';
import type { Ports } from './ports.ts';

/** The options as a diagnostic is given them: files whose contents it asks for are read in their path's place. */
export const withContents = async (
  options: Options,
  chosen: Chosen<Options>,
  ports: Pick<Ports, 'source'>,
  signal: AbortSignal,
): Promise<Chosen<Options>> => {
  const read: Record<string, string> = {};
  for (const [name, option] of Object.entries(options)) {
    const path = chosen[name];
    if (option.kind !== 'text' || !option.contents || typeof path !== 'string' || path === '') continue;
    const source = await ports.source(path);
    read[name] = new TextDecoder().decode(await source.read(0, source.size, signal));
  }
  return { ...chosen, ...read };
};
