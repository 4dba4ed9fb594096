import { Fault } from '../../base/fault.ts';
import { fetched } from './download.ts';

/** A published package and what it must hash to. */
export interface PublishedPackage {
  readonly name: string;
  readonly version: string;
  readonly url: string;
  readonly bytes: number;
  /** As Node names it, and the digest in base64. */
  readonly algorithm: 'sha256' | 'sha512';
  readonly digest: string;
}

/** Where onnxruntime-node's own install script looks, and for what (its script/install-metadata.js). */
export const nuget = 'https://api.nuget.org/v3/index.json';
const packageName = 'Microsoft.ML.OnnxRuntime.Gpu.Linux';
export const inPackage = 'runtimes/linux-x64/native/';
/** TensorRT's, the third of the package, is not used. */
export const libraries: readonly string[] = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];

const json = async (url: string, signal: AbortSignal | undefined): Promise<Readonly<Record<string, unknown>>> => {
  const response = await fetched(url, {}, signal);
  const value: unknown = response.ok ? await response.json().catch(() => undefined) : undefined;
  if (typeof value !== 'object' || value === null)
    throw new Fault('cuda/unreachable', { host: new URL(url).host, reason: `status ${response.status} for ${new URL(url).pathname}` });
  return value as Readonly<Record<string, unknown>>;
};

const textAt = (of: Readonly<Record<string, unknown>>, key: string): string => (typeof of[key] === 'string' ? of[key] : '');

/**
 * Looks a version up in a NuGet feed (docs "NuGet Server API", service index, registration leaf, catalog leaf). NuGet publishes the
 * digest of a package in its catalog: SHA-512, which stands in place of a SHA-256.
 */
export const findPackage = async (index: string, version: string, signal?: AbortSignal): Promise<PublishedPackage> => {
  const { host } = new URL(index);
  const none = (): Fault => new Fault('cuda/no-package', { name: packageName, version, host });
  const { resources } = await json(index, signal);
  const found = (Array.isArray(resources) ? resources : []) as readonly Readonly<Record<string, unknown>>[];
  const base = textAt(found.find((one) => textAt(one, '@type').startsWith('RegistrationsBaseUrl')) ?? {}, '@id');
  if (base === '') throw none();
  const leaf = await json(`${base.replace(/\/$/, '')}/${packageName.toLowerCase()}/${version.toLowerCase()}.json`, signal);
  const [url, entry] = [textAt(leaf, 'packageContent'), leaf.catalogEntry];
  const catalog = typeof entry === 'string' ? await json(entry, signal) : ((entry ?? {}) as Readonly<Record<string, unknown>>);
  const algorithm = ({ SHA512: 'sha512', SHA256: 'sha256' } as const)[textAt(catalog, 'packageHashAlgorithm').toUpperCase()];
  const [digest, bytes] = [textAt(catalog, 'packageHash'), Number(catalog.packageSize)];
  if (url === '' || digest === '' || algorithm === undefined || !(bytes > 0)) throw none();
  return { name: packageName, version, url, bytes, algorithm, digest };
};
