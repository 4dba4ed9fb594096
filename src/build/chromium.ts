import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const places = [
  process.env.CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const find = (): string | undefined => [...places, chromium.executablePath()].find((p) => p && existsSync(p));

const run = (command: string, args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
    .status === 0;

/** The path of a Chromium, installing one where this script may (apt-get as root, else Playwright's installer); undefined where it cannot. */
export const ensureChromium = (): string | undefined => {
  const found = find();
  if (found) return found;
  console.log('Installing Chromium for the editor tests…');
  if (process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    if (
      run('apt-get', ['update', '-q']) &&
      run('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'])
    )
      return find();
  }
  run(process.execPath, ['node_modules/playwright-core/cli.js', 'install', 'chromium-headless-shell']);
  return find();
};
