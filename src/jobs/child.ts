import type { ChildProcess } from 'node:child_process';
import { constants, setPriority } from 'node:os';

/** Of the parent's environment all but what attaches a debugger; Electron must be told to be Node. */
export const environment = (extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv => {
  const { NODE_OPTIONS, VSCODE_INSPECTOR_OPTIONS, ...rest } = process.env;
  const electron = process.versions.electron === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' };
  const kept = NODE_OPTIONS && !/inspect|bootloader/.test(NODE_OPTIONS) ? { NODE_OPTIONS } : {};
  return { ...rest, ...kept, ...electron, ...extra };
};

export const describeEnd = (code: number | null, signal: NodeJS.Signals | null, said: string): string => {
  const fatal = (/FATAL ERROR: (?:.* - )?(.+)/.exec(said) ?? /^(?:[A-Z]\w*)?Error(?: \[\w+\])?: (.+)$/m.exec(said))?.[1];
  const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
  return fatal ? `${how}: ${fatal.trim()}` : how;
};

/** Before it has threads, which take its priority over. A system that does not allow it leaves it as it is. */
export const giveWay = ({ pid }: ChildProcess): void => {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {}
};
