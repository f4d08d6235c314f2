import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { fuse } from '../../src/graph/fusion.js';
import { localModel } from '../../src/model/local-model.js';
import { writeSafetensors } from '../../src/weights/safetensors.js';
import { checkpoint, pseudoRandom } from '../pseudo-random.js';
import { randomNetwork } from '../random-network.js';
import { graphModel, jsonOf, SHARD } from '../weights/tfjs-writer.js';

// Runs the built command line, as a person would: npm run build comes first (npm ci does it).

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (...args: string[]): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile(process.execPath, ['dist/cli/index.js', ...args], { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });

let folder: string;
let weights: string;
let images: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-cli-'));
  weights = join(folder, 'float.safetensors');
  images = join(folder, 'images');
  const labels = ['ant', 'bee', 'cat'];
  const network = { ...fuse(randomNetwork('mobilenet_v3_small', { classes: 3, width: 0.35, resolution: 64 })), labels };
  writeFileSync(weights, (await localModel(network)).save());
  for (const [i, label] of labels.entries()) {
    mkdirSync(join(images, label), { recursive: true });
    for (let n = 0; n < 2; n++) {
      // The same pictures in every run: a budget's choice depends on them.
      const pixels = Uint8Array.from(pseudoRandom(`${label} ${n}`, 80 * 70 * 3), (u) => 128 + 60 * u + 20 * i - 30 * n);
      await sharp(pixels, { raw: { width: 80, height: 70, channels: 3 } })
        .jpeg()
        .toFile(join(images, label, `${n}.jpg`));
    }
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

it('compares, with JSON as the contract has it and a page that needs nothing else', async () => {
  const [json, html] = [join(folder, 'c.json'), join(folder, 'c.html')];
  const { code, stdout } = await run(
    'compare',
    '--weights',
    weights,
    '--images',
    images,
    '--calibration',
    images,
    '--json',
    json,
    '--html',
    html,
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/float32.*\n.*int8/);
  const result = JSON.parse(readFileSync(json, 'utf8'));
  expect(result).toMatchObject({ images: 6, calibrationImages: 6, model: { architecture: 'mobilenet_v3_small', resolution: 64 } });
  expect(result.rows.map(({ precision }: { precision: string }) => precision)).toEqual(['float32', 'int8']);
  for (const row of result.rows) expect(row.latencyMs.p10).toBeLessThanOrEqual(row.latencyMs.p90);
  expect(result.rows[1].modelBytes).toBeLessThan(result.rows[0].modelBytes);
  const page = readFileSync(html, 'utf8');
  expect(page).not.toMatch(/<script|src="http|href=/);
});

it('compares what has no labels, and networks without a classifier, by cosine similarity', async () => {
  const backbone = join(folder, 'backbone.safetensors');
  const tensors = checkpoint('mobilenet_v3_small', { width: 0.35, classes: 3 });
  const headless = new Map([...tensors].filter(([name]) => !name.startsWith('classifier')));
  writeFileSync(backbone, writeSafetensors({ tensors: headless, metadata: {} }));
  for (const [file, classifies] of [
    [backbone, false],
    [weights, true],
  ] as const) {
    const options = ['--weights', file, '--images', images, '--calibration', images, ...(classifies ? ['--unlabelled'] : [])];
    const { code, stdout } = await run('compare', ...options, '--limit', '4', '--json', '-', '--html', join(folder, 'cosine.html'));
    expect(code).toBe(0);
    const { images: count, rows, agreement, cosine } = JSON.parse(stdout);
    expect([count, rows[1].precision, rows[1].top1]).toEqual([4, 'int8', null]);
    expect(agreement === null).toBe(!classifies);
    expect(cosine.least).toBeGreaterThan(0.99);
    expect(cosine.mean).toBeGreaterThanOrEqual(cosine.least);
    expect(readFileSync(join(folder, 'cosine.html'), 'utf8')).not.toMatch(/NaN|undefined/);
  }
});

it('climbs the ladder, and sets Table 4 of the paper beside it', async () => {
  const climbed = await run('compare', '--weights', weights, '--images', images, '--calibration', '4', '--ladder', '--json', '-');
  const { rungs } = JSON.parse(climbed.stdout);
  expect(rungs.map(({ scheme }: { scheme: string }) => scheme)).toEqual([
    'float32',
    'perTensor',
    'leastSquares',
    'perChannel',
    'bottleneck',
    'wide',
    'refined',
    'best',
    'eight',
    expect.stringMatching(/^\+ 16 bits in \d+ tensors, for a budget of 97 %$/),
  ]);
  const paper = await run('compare', '--weights', weights, '--images', images, '--calibration', images, '--paper');
  expect(paper.stdout).toMatch(/67\.4.*64\.9.*-2\.50/);
});

it('quantizes, with a report; the file it makes is classified and evaluated as int8', async () => {
  const [out, report] = [join(folder, 'int8.safetensors'), join(folder, 'report.html')];
  const made = await run(
    'quantize',
    '-w',
    weights,
    '-c',
    images,
    '-o',
    out,
    '--report',
    report,
    '--keep-float',
    'stem',
    '--seed',
    '1',
    '-n',
    '3',
  );
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).toMatch(/calibrated on 3 images\nin float32: stem/);
  expect(readFileSync(report, 'utf8')).toMatch(/blocks\.10\.project/);
  const evaluated = await run('evaluate', '-w', out, '-i', images, '--json', '-');
  expect(JSON.parse(evaluated.stdout)).toMatchObject({ precision: 'int8', images: 6 });
  const classified = await run('classify', join(images, 'ant', '0.jpg'), '-w', out, '--top', '2', '--json', '-');
  const [{ predictions }] = JSON.parse(classified.stdout);
  expect(predictions).toHaveLength(2);
  expect(['ant', 'bee', 'cat']).toContain(predictions[0].label);
});

it('chooses bits by a budget, says which and what each costs, and draws the frontier', async () => {
  const [out, report] = [join(folder, 'mixed.safetensors'), join(folder, 'mixed.html')];
  const made = await run(
    'quantize',
    '-w',
    weights,
    '-c',
    images,
    '-o',
    out,
    '--budget',
    '100',
    '--rounding',
    'nearest',
    '--report',
    report,
  );
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(made.stdout).toMatch(/16 bits .*8 bits would make noise at/);
  expect(made.stdout).toMatch(/tensors have 8 bits: expected agreement 100\.00 %/);
  expect(readFileSync(report, 'utf8')).toMatch(/<svg .*Expected agreement against estimated cycles/);
  const wrong = await run('quantize', '-w', weights, '-c', images, '-o', out, '--budget', '97', '--activations', '16');
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('it needs activations: 8') });
});

it('converts to formats of other runtimes, by the ending', async () => {
  const [int8, onnx, tflite] = ['16.safetensors', '16.onnx', '16.tflite'].map((name) => join(folder, name)) as [string, string, string];
  await run('quantize', '-w', weights, '-c', images, '-o', int8, '--rounding', 'nearest');
  expect(await run('convert', '-w', int8, '-o', onnx)).toMatchObject({ code: 0, stderr: '' });
  expect(await run('convert', '-w', int8, '-o', tflite)).toMatchObject({ code: 0, stderr: '' });
  expect(readFileSync(onnx).subarray(0, 2)).toEqual(Buffer.of(8, 10));
  expect(readFileSync(tflite).subarray(4, 8).toString()).toBe('TFL3');
  const named = await run('convert', '-w', int8, '-o', onnx, '--names', 'timm');
  expect(named).toMatchObject({ code: 1, stderr: expect.stringContaining('--names timm is for safetensors') });
});

it('inspects and times a file', async () => {
  const inspected = await run('inspect', weights, '--json', '-');
  expect(JSON.parse(inspected.stdout)).toMatchObject({ architecture: 'mobilenet_v3_small', width: 0.35, classes: 3 });
  const timed = await run('bench', '-w', weights, '--runs', '3', '--json', '-');
  expect(JSON.parse(timed.stdout).layers.length).toBeGreaterThan(30);
});

it('counts the shards of a network that names them', async () => {
  const files = graphModel(randomNetwork('mobilenet_v3_small', { classes: 3, width: 0.35, resolution: 64, padding: 'same' }));
  const path = join(folder, 'model.json');
  writeFileSync(path, jsonOf(files));
  writeFileSync(join(folder, SHARD), files.shard);
  const { stdout } = await run('inspect', path, '--json', '-');
  expect(JSON.parse(stdout).fileBytes).toBe(statSync(path).size + files.shard.length);
});

it('names, counts and skips a corrupt picture among good ones', async () => {
  const bad = join(images, 'bee', 'bad.jpg');
  writeFileSync(bad, 'no picture');
  const { code, stderr, stdout } = await run('evaluate', '-w', weights, '-i', images, '--json', '-');
  rmSync(bad);
  expect(code).toBe(0);
  expect(stderr).toContain(bad);
  expect(JSON.parse(stdout)).toMatchObject({ images: 6, skipped: [bad] });
});

it.each([
  ['an unknown option', 2, /unknown option '--nope'/, () => ['compare', '--nope']],
  ['an option that wants a number', 2, /whole number above 0/, () => ['compare', '--limit', '-1']],
  ['weights that are no file', 1, /cannot be read/, () => ['inspect', join(folder, 'none')]],
  ['a folder', 1, /is a folder; give a file in it, such as model.json/, () => ['inspect', folder]],
  ['an empty folder of images', 1, /no images|holds no/, () => ['evaluate', '-w', weights, '-i', mkdtempSync(join(folder, 'empty-'))]],
  ['float32 weights asked to run as int8 without calibration', 1, /add --calibration/, () => ['bench', '-w', weights, '-p', 'int8']],
  ['neither weights nor a table to measure', 2, /--weights FILE is missing; or give --table FILE/, () => ['bench']],
  ['weights for the paper without images', 1, /--weights and --images go together/, () => ['paper', '-w', weights]],
  ["a result of another command for the paper's tables", 1, /is no result of this command/, () => ['paper', '--from', 'package.json']],
  [
    'a layer that is none',
    1,
    /is no layer/,
    () => ['quantize', '-w', weights, '-c', images, '-o', join(folder, 'x'), '--keep-float', 'nope'],
  ],
  [
    'a report of an unknown kind',
    1,
    /must name a .html or .json file/,
    () => ['quantize', '-w', weights, '-c', images, '-o', join(folder, 'x'), '--report', 'r.pdf'],
  ],
] as const)('tells of %s in words, with exit code %i', async (_, code, message, args) => {
  const outcome = await run(...args());
  expect(outcome.code).toBe(code);
  expect(outcome.stderr).toMatch(message);
  expect(outcome.stderr).not.toMatch(/\n\s+at /);
});

it('tells of a class folder that matches no label', async () => {
  const wrong = join(folder, 'wrong');
  mkdirSync(join(wrong, 'dragon'), { recursive: true });
  writeFileSync(join(wrong, 'dragon', 'a.jpg'), 'x');
  const outcome = await run('evaluate', '-w', weights, '-i', wrong);
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stderr).toMatch(/dragon/);
});

const shared = '../shared/models';
(existsSync(shared) ? it : it.skip)('runs quantized TFLite files as the int8 networks that they are (needs ../shared)', async () => {
  const file = join(shared, 'v3-small-1.0-224-qat-uint8.tflite');
  const { stdout } = await run('evaluate', '-w', file, '-i', '../shared/imagenet/validation', '--json', '-');
  const { top1, precision } = JSON.parse(stdout);
  expect(precision).toBe('int8');
  // A PyTorch simulation of the file gives 73.0 %, LiteRT.js 2.5, on the same pixels, 76.5 %.
  expect(top1).toBeGreaterThan(0.72);
  expect(top1).toBeLessThan(0.775);
});
