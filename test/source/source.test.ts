import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadModel } from '../../src/load.js';
import { openSource } from '../../src/source/source.js';
import { randomNetwork } from '../random-network.js';
import { graphModel, jsonOf, SHARD } from '../weights/tfjs-writer.js';

// A model of two files, wherever it lies.

const files = graphModel(randomNetwork('mobilenet_v3_small', { width: 0.25, classes: 3, resolution: 32, padding: 'same' }));
let folder: string;
let server: Server;
let asked: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-source-'));
  writeFileSync(join(folder, 'model.json'), jsonOf(files));
  writeFileSync(join(folder, SHARD), files.shard);
  writeFileSync(join(folder, 'metadata.json'), JSON.stringify({ packageName: '@teachablemachine/image', labels: ['cat', 'dog', 'bird'] }));
  server = createServer(({ url }, response) => {
    asked.push(url as string);
    if (url === '/models/model.json') response.end(jsonOf(files));
    else if (url === `/models/${SHARD}`) response.end(files.shard);
    else response.writeHead(404).end();
  });
  await new Promise<void>((started) => server.listen(0, '127.0.0.1', started));
});
beforeEach(() => {
  asked = [];
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  server.close();
});

it.each([
  ['a path', () => join(folder, 'model.json')],
  ['a file: URL', () => pathToFileURL(join(folder, 'model.json'))],
])('reads shards and labels beside %s', async (_, source) => {
  await expect(loadModel(source())).resolves.toMatchObject({ classes: 3, labels: ['cat', 'dog', 'bird'] });
});

it('names the classes by a labels.txt, numbered as Teachable Machine does it or not', async () => {
  for (const text of ['0 cat\n1 dog\n2 bird\n', 'cat\r\ndog\r\nbird']) {
    const list = [
      new File([jsonOf(files) as BlobPart], 'model.json'),
      new File([files.shard as BlobPart], SHARD),
      new File([text], 'labels.txt'),
    ];
    await expect(loadModel(list)).resolves.toMatchObject({ labels: ['cat', 'dog', 'bird'] });
  }
});

it('fetches shards from beside a URL, and asks for nothing that is not needed', async () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models/model.json`;
  await expect(loadModel(url)).resolves.toMatchObject({ classes: 3, hasLabels: false });
  expect(asked.sort()).toEqual([`/models/${SHARD}`, '/models/metadata.json', '/models/model.json'].sort());
});

it('tells how far all files together are', async () => {
  const heard: [number, number | undefined][] = [];
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/models/model.json`;
  for (const source of [url, join(folder, 'model.json')]) {
    await loadModel(source, { onProgress: (...bytes) => heard.push(bytes as [number, number]) });
    const [loaded] = heard.at(-1) as [number, number];
    const labels = source === url ? 0 : statSync(join(folder, 'metadata.json')).size;
    expect(loaded).toBe(jsonOf(files).length + files.shard.length + labels);
    expect(heard.map(([loaded]) => loaded)).toEqual(heard.map(([loaded]) => loaded).sort((a, b) => a - b));
    heard.length = 0;
  }
});

it('finds the model among a folder that a page was given', async () => {
  const list = [
    new File(['{}'], 'metadata.json'),
    new File([files.shard as BlobPart], SHARD),
    new File([jsonOf(files) as BlobPart], 'model.json'),
  ];
  expect((await openSource(list)).name).toBe('model.json');
  await expect(openSource([new File(['x'], 'notes.txt'), new File(['{}'], 'metadata.json')])).rejects.toThrow(
    /none of the 2 files is a model/,
  );
  await expect(openSource([])).rejects.toThrow(/the list is empty/);
});

it('finds shards by the names that TensorFlow.js writes itself, with a "./" in front', async () => {
  const dotted = JSON.stringify(files.model).replace(SHARD, `./${SHARD}`);
  const list = [new File([dotted], 'model.json'), new File([files.shard as BlobPart], SHARD)];
  await expect(loadModel(list)).resolves.toMatchObject({ classes: 3 });
  writeFileSync(join(folder, 'dotted.json'), dotted);
  await expect(loadModel(join(folder, 'dotted.json'))).resolves.toMatchObject({ classes: 3 });
});

it.each([
  '../secret',
  './../secret',
  './',
  '/etc/passwd',
  'a//b',
  'https://example.com/x',
  'a\\b',
  '.',
])('does not look for "%s" beside a model', async (name) => {
  const source = await openSource(join(folder, 'model.json'));
  await expect(async () => source.beside(name)).rejects.toMatchObject({ code: 'ERR_INPUT' });
});
