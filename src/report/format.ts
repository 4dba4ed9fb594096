import type { Interval, Unit } from './report.ts';

/** What stands where a number is undefined. */
export const UNDEFINED = '–';

let grouping: Intl.NumberFormat | undefined;
/** Made when it is first asked for: it loads the tables of a language, which would be a sixth of the extension's activation. */
const grouped = (value: number): string => {
  grouping ??= new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
  return grouping.format(value);
};
const plain = (value: number, digits: number): string => {
  const magnitude = Math.abs(value);
  if (value === 0) return '0';
  if (magnitude < 1e-4 || magnitude >= 1e9) return value.toExponential(Math.max(0, digits - 2)).replace('e+', 'e');
  if (magnitude >= 10 ** (digits - 1)) return grouped(value);
  return String(Number(value.toPrecision(digits)));
};

/** Decimals after the comma so that `step` keeps two significant digits. */
const decimalsFor = (step: number, least: number, most: number): number =>
  step > 0 && Number.isFinite(step) ? Math.min(most, Math.max(least, 1 - Math.floor(Math.log10(step) + 1e-9))) : least;

/** Three significant digits; between 0.1 and 1 one decimal, more where the distance to 100 % would otherwise be lost. */
const percent = (value: number): string => {
  const magnitude = Math.abs(value);
  if (value === 0) return '0 %';
  if (magnitude === 1) return `${value * 100} %`;
  if (magnitude < 1e-6) return `${plain(value * 100, 3)} %`;
  const decimals = magnitude < 0.1 ? decimalsFor(magnitude * 10, 2, 6) : magnitude < 1 ? decimalsFor((1 - magnitude) * 100, 1, 6) : 0;
  return `${(value * 100).toFixed(decimals)} %`;
};

const bytes = (value: number): string => {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(1, Math.abs(value))) / 3)));
  return `${plain(value / 1000 ** power, 3)} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`;
};

const seconds = (value: number): string => {
  if (Math.abs(value) < 1) return `${plain(value * 1000, 3)} ms`;
  if (Math.abs(value) < 120) return `${plain(value, 3)} s`;
  const whole = Math.round(value);
  return whole < 7200
    ? `${Math.floor(whole / 60)} min ${whole % 60} s`
    : `${Math.floor(whole / 3600)} h ${Math.round((whole % 3600) / 60)} min`;
};

/** A number as people read it. Every surface writes numbers with this; files hold them unrounded. */
export const format = (value: number | null | undefined, unit: Unit = 'none'): string => {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNDEFINED;
  switch (unit) {
    case 'fraction':
      return percent(value);
    case 'count':
      return Number.isInteger(value) ? grouped(value) : plain(value, 4);
    case 'nats':
      return `${plain(value, 4)} nats`;
    case 'seconds':
      return seconds(value);
    case 'ms':
      return `${plain(value, 3)} ms`;
    case 'bytes':
      return bytes(value);
    case 'none':
      return Number.isInteger(value) ? grouped(value) : plain(value, 4);
  }
};

/** Both ends with the same decimals, as many as the width needs. */
export const formatRange = (low: number | null, high: number | null, unit: Unit = 'none'): string => {
  if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return UNDEFINED;
  if (low === high || unit === 'seconds' || unit === 'bytes' || unit === 'ms') return `${format(low, unit)} – ${format(high, unit)}`;
  const factor = unit === 'fraction' ? 100 : 1;
  const whole = unit === 'count' && Number.isInteger(low) && Number.isInteger(high);
  const decimals = whole ? 0 : decimalsFor((high - low) * factor, 0, 6);
  const end = (value: number): string =>
    Math.abs(value) * factor >= 1e6 ? plain(value * factor, 4) : (value * factor).toFixed(decimals).replace(/^-(0(?:\.0+)?)$/, '$1');
  const suffix = unit === 'fraction' ? ' %' : unit === 'nats' ? ' nats' : '';
  return low < 0 ? `${end(low)} to ${end(high)}${suffix}` : `${end(low)}–${end(high)}${suffix}`;
};

export const formatInterval = (interval: Interval, unit: Unit): string => formatRange(interval.low, interval.high, unit);

/** `95 % Wilson` */
export const intervalName = (interval: Interval): string => `${plain(interval.level * 100, 4)} % ${interval.method}`;

/** The range a bin covers: (low, high], written with as many decimals as the bin is wide. */
export const formatBin = (low: number, high: number, unit: Unit): string =>
  unit === 'fraction' ? formatRange(low, high, 'none') : formatRange(low, high, unit);

/** Text from a file or a model, safe for one line of a terminal: control characters become visible. */
export const visible = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (c) => (c === '\n' || c === '\t' ? ' ' : '\ufffd'));
