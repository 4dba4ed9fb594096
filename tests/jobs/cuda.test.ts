import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { zipSync } from 'fflate';
import { Fault } from '../../src/base/fault.ts';
import { type CudaPlaces, type CudaSupport, cudaSupport } from '../../src/jobs/cuda/support.ts';

const [shared, cuda] = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'];
// Half of it does not compress, so that a transfer can be broken in the middle.
const contents = { [shared]: randomBytes(20_000), [cuda]: Buffer.concat([randomBytes(600_000), Buffer.alloc(600_000, 7)]) };
const entry = (name: string): string => `runtimes/linux-x64/native/${name}`;
const zipped = Buffer.from(
  zipSync({
    'package.nuspec': Buffer.from('<package/>'),
    [entry(shared)]: [contents[shared], { level: 0 }],
    [entry(cuda)]: contents[cuda],
    [entry('libonnxruntime_providers_tensorrt.so')]: randomBytes(100),
  }),
);
const sha512 = (bytes: Buffer): string => createHash('sha512').update(bytes).digest('base64');

/** A feed that stands in for NuGet; each test sets how it behaves. */
let send: (range: string | undefined, response: ServerResponse) => void;
let digest = sha512(zipped);
const asked: { readonly path: string; readonly range: string | undefined }[] = [];
const server = createServer((request, response) => {
  const { url = '', headers } = request;
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const json = (value: object): void => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  asked.push({ path: url, range: headers.range });
  if (url === '/index.json') return json({ resources: [{ '@id': `${base}/registration/`, '@type': 'RegistrationsBaseUrl/3.6.0' }] });
  if (url === '/registration/microsoft.ml.onnxruntime.gpu.linux/1.30.0.json')
    return json({ packageContent: `${base}/package.nupkg`, catalogEntry: `${base}/catalog.json` });
  if (url === '/catalog.json') return json({ packageHash: digest, packageHashAlgorithm: 'SHA512', packageSize: zipped.length });
  if (url === '/package.nupkg') return send(headers.range, response);
  response.writeHead(404).end();
});

/** Answers ranges as servers do; `cut` ends the connection after so many bytes. */
const well =
  (cut = Number.POSITIVE_INFINITY): typeof send =>
  (range, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    const rest = zipped.subarray(from);
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': rest.length,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${zipped.length - 1}/${zipped.length}` } : {}),
    });
    if (rest.length <= cut) response.end(rest);
    else response.write(rest.subarray(0, cut), () => setTimeout(() => response.destroy(), 20));
  };

let feed = '';
before(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  feed = `http://127.0.0.1:${(server.address() as AddressInfo).port}/index.json`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

interface Scene extends CudaPlaces {
  readonly support: CudaSupport;
  readonly part: string;
}
const scene = (t: TestContext, over: Partial<CudaPlaces> = {}): Scene => {
  const at = realpathSync(mkdtempSync(join(tmpdir(), 'assay-cuda-')));
  t.after(() => rmSync(at, { recursive: true, force: true }));
  const binaries = join(at, 'extension/bin');
  mkdirSync(binaries, { recursive: true });
  const places = { folder: join(at, 'storage/cuda'), binaries, version: '1.30.0', feed, platform: 'linux-x64', ...over };
  digest = sha512(zipped);
  send = well();
  asked.length = 0;
  return { ...places, support: cudaSupport(places), part: join(places.folder, '1.30.0.part') };
};
const has =
  (code: string, pattern = /./) =>
  (error: unknown): boolean =>
    error instanceof Fault && error.code === code && pattern.test(error.message);
const ranges = (): (string | undefined)[] => asked.filter(({ path }) => path === '/package.nupkg').map(({ range }) => range);

test('the size is known before anything is fetched; then both libraries lie beside ONNX Runtime, by links', async (t) => {
  const { support, binaries, folder, part } = scene(t);
  const { wanted, have, disk } = await support.plan();
  assert.deepEqual([wanted.bytes, have, disk], [zipped.length, 0, 3 * zipped.length]);
  assert.deepEqual(ranges(), []);
  const told: number[] = [];
  const made = await support.install(wanted, { onProgress: (bytes) => told.push(bytes) });
  assert.equal(told.at(-1), zipped.length);
  for (const name of [shared, cuda]) {
    assert.ok(readlinkSync(join(binaries, name)).startsWith(folder));
    assert.deepEqual(readFileSync(join(binaries, name)), contents[name]);
    const sha256 = createHash('sha256').update(contents[name]).digest('hex');
    assert.equal(made.files.find((file) => file.name === name)?.sha256, sha256);
  }
  assert.ok(!existsSync(part), 'the package itself is not kept');
  assert.deepEqual(await support.installed(), made);
});

test('a broken transfer says so and keeps what came; the next goes on from there', async (t) => {
  const { support, part, binaries } = scene(t);
  const { wanted } = await support.plan();
  send = well(300_000);
  await assert.rejects(support.install(wanted), has('cuda/unreachable', /what came is kept/));
  const came = statSync(part).size;
  assert.ok(came > 0 && came <= 300_000);
  assert.equal((await support.plan()).have, came);
  assert.equal(await support.installed(), undefined);
  send = well();
  await support.install(wanted);
  assert.deepEqual(ranges(), [undefined, `bytes=${came}-`]);
  assert.deepEqual(readFileSync(join(binaries, cuda)), contents[cuda]);
});

test('a server that knows no ranges is heard from the beginning', async (t) => {
  const { support, part } = scene(t);
  const { wanted } = await support.plan();
  mkdirSync(join(part, '..'), { recursive: true });
  writeFileSync(part, 'something else');
  send = (_, response) => void response.writeHead(200).end(zipped);
  await support.install(wanted);
  assert.ok(await support.installed());
});

test('a wrong checksum is refused, and what came is deleted', async (t) => {
  const { support, part, binaries } = scene(t);
  digest = sha512(Buffer.from('another'));
  const { wanted } = await support.plan();
  await assert.rejects(support.install(wanted), has('cuda/checksum', /SHA-512/));
  assert.ok(!existsSync(part) && !existsSync(join(binaries, cuda)));
});

test('too little room is said before anything is fetched', async (t) => {
  const { support } = scene(t, { free: async () => 1000 });
  const { wanted } = await support.plan();
  await assert.rejects(support.install(wanted), has('cuda/disk', /need 3 MB and 1 MB are free|need \d+ MB/));
  assert.deepEqual(ranges(), []);
});

test('a disk that fills up on the way is said so', { skip: !existsSync('/dev/full') }, async (t) => {
  const { support, part } = scene(t);
  const { wanted } = await support.plan();
  mkdirSync(join(part, '..'), { recursive: true });
  symlinkSync('/dev/full', part);
  await assert.rejects(support.install(wanted), has('cuda/disk', /too little room/));
});

test('stopping keeps what came, and the next goes on', async (t) => {
  const { support, part } = scene(t);
  const { wanted } = await support.plan();
  const stop = new AbortController();
  send = (_, response) => {
    response.writeHead(200);
    response.write(zipped.subarray(0, 200_000));
  };
  await assert.rejects(
    support.install(wanted, { signal: stop.signal, onProgress: (bytes) => bytes >= 200_000 && stop.abort() }),
    has('job/stopped'),
  );
  assert.equal(statSync(part).size, 200_000);
  send = well();
  await support.install(wanted);
  assert.equal(ranges().at(-1), 'bytes=200000-');
});

test('a connection that falls silent is given up', async (t) => {
  const { support } = scene(t);
  const { wanted } = await support.plan();
  send = (_, response) => {
    response.writeHead(200);
    response.write(zipped.subarray(0, 1000));
  };
  await assert.rejects(support.install(wanted, { silenceMs: 200 }), has('cuda/unreachable', /nothing came/));
});

test('a package that is no package is refused, and not tried again', async (t) => {
  const { support, part } = scene(t);
  const wrong = randomBytes(zipped.length);
  digest = sha512(wrong);
  send = (_, response) => void response.writeHead(200).end(wrong);
  const { wanted } = await support.plan();
  await assert.rejects(support.install(wanted), has('cuda/package', /not a ZIP file/));
  assert.ok(!existsSync(part));
});

test('removal takes the libraries, the links and a half-fetched package, and nothing else', async (t) => {
  const { support, binaries, folder, part } = scene(t);
  writeFileSync(join(binaries, 'libonnxruntime.so.1'), 'own');
  await support.install((await support.plan()).wanted);
  writeFileSync(part, 'left');
  assert.equal(await support.remove(), contents[shared].length + contents[cuda].length + 4);
  assert.ok(!existsSync(folder) && !existsSync(join(binaries, cuda)) && existsSync(join(binaries, 'libonnxruntime.so.1')));
  assert.equal(await support.installed(), undefined);
});

test('after an update of the extension the libraries are linked anew; one put there by hand stays', async (t) => {
  const one = scene(t);
  await one.support.install((await one.support.plan()).wanted);
  const binaries = join(one.binaries, '../newer');
  mkdirSync(binaries);
  writeFileSync(join(binaries, shared), 'by hand');
  await cudaSupport({ ...one, binaries }).link();
  assert.deepEqual(readFileSync(join(binaries, cuda)), contents[cuda]);
  assert.equal(readFileSync(join(binaries, shared), 'utf8'), 'by hand');
});

test('libraries of another version, or cut short, count as none', async (t) => {
  const one = scene(t);
  await one.support.install((await one.support.plan()).wanted);
  assert.equal(await cudaSupport({ ...one, version: '1.31.0' }).installed(), undefined);
  writeFileSync(join(one.folder, '1.30.0', cuda), 'short');
  assert.equal(await one.support.installed(), undefined);
});

test('a version that the feed does not have, and another platform, are said so', async (t) => {
  await assert.rejects(scene(t, { version: '0.0.1' }).support.plan(), has('cuda/unreachable', /404/));
  await assert.rejects(scene(t, { platform: 'darwin-arm64' }).support.plan(), has('cuda/platform', /this is darwin-arm64/));
  await assert.rejects(scene(t, { feed: 'http://127.0.0.1:9/index.json' }).support.plan(), has('cuda/unreachable'));
});
