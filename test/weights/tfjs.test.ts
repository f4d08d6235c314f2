import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ARCHITECTURE_NAMES } from '../../src/architecture/tables.js';
import { fuse } from '../../src/graph/fusion.js';
import { loadModel } from '../../src/load.js';
import { localModel } from '../../src/model/local-model.js';
import { pseudoRandom } from '../pseudo-random.js';
import { randomNetwork } from '../random-network.js';
import { fileListOf, graphModel, jsonOf, layersModel, SHARD, sharded } from './tfjs-writer.js';
import { cosine } from './wild.js';

const SIDE = 64;
const image = { data: pseudoRandom('x', SIDE * SIDE * 3), shape: [1, SIDE, SIDE, 3] } as const;
const network = (architecture: (typeof ARCHITECTURE_NAMES)[number]) =>
  randomNetwork(architecture, { width: 0.5, classes: 9, resolution: SIDE, padding: 'same' });

describe.each(ARCHITECTURE_NAMES)('%s', (architecture) => {
  it.each([
    ['a graph model with everything spelled out', graphModel],
    ['a layers model inside of another', layersModel],
  ])('is read from %s', async (_, write) => {
    const own = network(architecture);
    const model = await loadModel(fileListOf(write(own)));
    expect(model).toMatchObject({ architecture, classes: 9, inputSize: SIDE });
    const [a, b] = [await model.predict(image), await (await localModel(own)).predict(image)];
    const largest = Math.max(...b.map(Math.abs));
    a.forEach((value, i) => {
      expect(Math.abs(value - (b[i] as number))).toBeLessThan(1e-5 * largest);
    });
    // Nothing of the spelling is left: the same layers under the same names.
    const wanted = fuse(own).graph.nodes.map(({ name }) => name);
    expect(model.summary.layers.map(({ name }) => name)).toEqual(wanted);
  });
});

describe.each([
  ['graph', graphModel],
  ['layers', layersModel],
] as const)('%s models', (_, write) => {
  it.each([
    ['uint8', 0.999],
    ['uint16', 0.9999999],
    ['float16', 0.9999],
  ] as const)('have weights in %s', async (kept, least) => {
    const own = network('mobilenet_v3_small');
    const [a, b] = [await loadModel(fileListOf(write(own, kept))), await loadModel(fileListOf(write(own)))];
    expect(a.precision).toBe('float32');
    const [rounded, exact] = [await a.predict(image), await b.predict(image)];
    expect(cosine(rounded, exact)).toBeGreaterThan(least);
    expect(rounded).not.toEqual(exact);
  });

  it.each([
    ['three shards', ['group1-shard1of3.bin', 'group1-shard2of3.bin', 'group1-shard3of3.bin']],
    ['two shards without an ending', ['group1-shard1of2', 'group1-shard2of2']],
    ["Teachable Machine's one file", ['weights.bin']],
  ])('come in %s, in any order of the files', async (_, names) => {
    const files = write(network('mobilenet_v3_small'));
    const [whole, apart] = [await loadModel(fileListOf(files)), await loadModel(sharded(files, names).reverse())];
    expect(await apart.predict(image)).toEqual(await whole.predict(image));
    // The same from a folder.
    const folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-tfjs-'));
    try {
      for (const file of sharded(files, names)) writeFileSync(join(folder, file.name), new Uint8Array(await file.arrayBuffer()));
      expect(await (await loadModel(join(folder, 'model.json'))).predict(image)).toEqual(await whole.predict(image));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

it("takes Teachable Machine's labels from metadata.json beside it", async () => {
  const labels = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
  const metadata = new File([JSON.stringify({ tfjsVersion: '1.3.1', imageSize: SIDE, labels })], 'metadata.json');
  const model = await loadModel([...fileListOf(layersModel(network('mobilenet_v2'))), metadata]);
  expect(model.labels).toEqual(labels);
});

it('says which file is missing, and which is cut off', async () => {
  const files = graphModel(network('mobilenet_v3_small'));
  const [json] = fileListOf(files) as [File, File];
  await expect(loadModel([json])).rejects.toThrow(/needs the file "group1-shard1of1.bin"/);
  await expect(loadModel(jsonOf(files))).rejects.toThrow(/give its path or URL, or a File\[\]/);
  const short = new File([files.shard.slice(0, 1000) as BlobPart], SHARD);
  await expect(loadModel([json, short])).rejects.toThrow(/a shard is missing or cut off/);
});

it('reads nothing above its own folder', async () => {
  const files = graphModel(network('mobilenet_v3_small'));
  const text = JSON.stringify(files.model).replace(SHARD, `../${SHARD}`);
  await expect(loadModel(fileListOf(files, new TextEncoder().encode(text)))).rejects.toMatchObject({ code: 'ERR_INPUT' });
});

it('refuses what it would compute wrongly', async () => {
  const files = graphModel(network('mobilenet_v3_small'));
  const changed = (from: string, to: string) =>
    loadModel(fileListOf(files, new TextEncoder().encode(JSON.stringify(files.model).replaceAll(from, to))));
  await expect(changed('"AddN"', '"Exp"')).rejects.toThrow(/operator Exp/);
  await expect(changed('"Relu6"', '"Softmax"')).rejects.toThrow(/a softmax of .* that other layers read/);
});
