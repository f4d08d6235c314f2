import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { fuse } from '../../src/graph/fusion.js';
import { localModel } from '../../src/model/local-model.js';
import { randomNetwork } from '../random-network.js';

// Nothing is sent: Node with every socket refused, the package as it is published.

const PRELOAD = pathToFileURL(resolve('test/built/no-network.mjs')).href;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Who asked for the network. */
  readonly asked: string;
}

let folder: string;
let weights: string;
let picture: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-requests-'));
  weights = join(folder, 'model.safetensors');
  picture = join(folder, 'picture.png');
  writeFileSync(weights, (await localModel(fuse(randomNetwork('mobilenet_v3_small', { classes: 5, width: 0.35, resolution: 64 })))).save());
  await sharp({ create: { width: 80, height: 70, channels: 3, background: '#804020' } })
    .png()
    .toFile(picture);
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(...args: string[]): Promise<Outcome> {
  const asked = join(mkdtempSync(join(folder, 'run-')), 'asked');
  return new Promise((done) => {
    execFile(process.execPath, ['--import', PRELOAD, ...args], { env: { ...process.env, ASKED: asked } }, (error, stdout, stderr) => {
      done({ code: error ? Number(error.code) : 0, stdout, stderr, asked: existsSync(asked) ? readFileSync(asked, 'utf8') : '' });
    });
  });
}

const script = (body: string) => ['--input-type=module', '-e', body];
const entry = (name: string) => JSON.stringify(pathToFileURL(resolve(`dist/${name}.js`)).href);

it('the refusal sees what is asked for', async () => {
  const body = `import { loadModel } from ${entry('index')}; await loadModel('https://example.invalid/model').catch(({ code }) => console.log(code));`;
  const { asked, stdout } = await run(...script(body));
  expect(stdout).toBe('ERR_INPUT\n');
  expect(asked).toMatch(/^fetch: /);
});

it('loads, classifies, embeds, quantizes, learns, in threads and in a worker, and asks nobody', async () => {
  const body = `
    import { cosineSimilarity, evaluate, loadModel, quantize } from ${entry('index')};
    import { loadKernels } from ${entry('kernels/index')};
    import { Examples, trainHead } from ${entry('transfer')};
    import { readFileSync } from 'node:fs';
    const [weights, picture] = ${JSON.stringify([weights, picture])};
    for (const options of [{}, { threads: 2 }, { worker: true }]) {
      for (const source of [weights, readFileSync(weights)]) {
        const model = await loadModel(source, options);
        const int8 = await quantize(model, [picture], { rounding: 'nearest' });
        await int8.classify(readFileSync(picture));
        const embedding = await model.embed(picture);
        cosineSimilarity(embedding, embedding);
        await evaluate(model, [{ image: picture, label: 0 }]);
        const examples = new Examples();
        for (const label of ['a', 'b']) examples.add(label, embedding);
        trainHead(examples, { epochs: 1 }).classify(embedding);
        await loadModel(int8.save());
        await model.profile();
        model.dispose();
        int8.dispose();
      }
    }
    (await loadKernels()).relu({ data: new Float32Array(1), shape: [1, 1, 1, 1] });
    console.log('done');`;
  expect(await run(...script(body))).toEqual({ code: 0, stdout: 'done\n', stderr: '', asked: '' });
});

it('neither does the command line', async () => {
  const cli = 'dist/cli/index.js';
  const int8 = join(folder, 'int8.safetensors');
  for (const args of [
    ['--help'],
    ['inspect', weights],
    ['quantize', '-w', weights, '-c', folder, '-o', int8, '--rounding', 'nearest'],
    ['classify', picture, '-w', int8],
    ['embed', picture, '-w', weights, '-o', '-'],
    ['bench', '-w', weights, '--runs', '1'],
    ['convert', '-w', weights, '-o', join(folder, 'c.safetensors')],
  ]) {
    expect([args, await run(cli, ...args)]).toMatchObject([args, { code: 0, asked: '' }]);
  }
});
