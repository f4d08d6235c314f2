import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { fuse } from '../../src/graph/fusion.js';
import { localModel } from '../../src/model/local-model.js';
import type { Model } from '../../src/model/model.js';
import { randomNetwork } from '../random-network.js';

// embed and classify on many pictures, by the built command line.

/** Enough that a run which is cut off after its first lines has more to do, on a busy machine as well. */
const PICTURES = 800;
const BAD = 137;

let folder: string;
let weights: string;
let pictures: string;
let model: Model;
const nameOf = (i: number) => join(pictures, `${String(i).padStart(4, '0')}.jpg`);

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const begin = (...args: string[]): ChildProcess =>
  spawn(process.execPath, ['dist/cli/index.js', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });

async function ended(child: ChildProcess): Promise<Outcome> {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text;
    });
  }
  const [code] = await once(child, 'close');
  return { code, ...texts };
}
const run = (...args: string[]) => {
  const child = begin(...args);
  child.stdin?.end();
  return ended(child);
};

interface Line {
  readonly image: string;
  readonly row?: number;
  readonly error?: string;
  readonly embedding?: number[];
  readonly predictions?: { index: number; label: string; probability: number }[];
}
const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
const linesIn = (file: string) => linesOf(readFileSync(file, 'utf8'));

/** A .npy file as NumPy reads it. */
function matrixIn(file: string): { rows: number; columns: number; row(i: number): number[] } {
  const bytes = readFileSync(file);
  const header = bytes.toString('latin1', 10, 128);
  const [, rows, columns] = /\((\d+), (\d+)\)/.exec(header)?.map(Number) as [number, number, number];
  expect(bytes.toString('latin1', 0, 8)).toBe('\x93NUMPY\x01\x00');
  expect(header).toMatch(/^\{'descr': '<f4', 'fortran_order': False, 'shape': \(\d+, \d+\), \} *\n$/);
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset + 128, bytes.byteOffset + 128 + rows * columns * 4));
  return { rows, columns, row: (i) => [...values.subarray(i * columns, (i + 1) * columns)] };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-many-'));
  weights = join(folder, 'float.safetensors');
  pictures = join(folder, 'pictures');
  mkdirSync(pictures);
  model = await localModel(fuse(randomNetwork('mobilenet_v3_small', { classes: 3, width: 0.35, resolution: 64 })));
  writeFileSync(weights, model.save());
  for (let i = 0; i < 6; i++) {
    const background = { r: 40 * i, g: 255 - 40 * i, b: 60 };
    await sharp({ create: { width: 80, height: 70, channels: 3, background, noise: { type: 'gaussian', mean: 128, sigma: 40 } } })
      .jpeg()
      .toFile(join(folder, `${i}.jpg`));
  }
  for (let i = 0; i < PICTURES; i++) {
    if (i === BAD) writeFileSync(nameOf(i), 'this is no picture');
    else symlinkSync(join(folder, `${i % 6}.jpg`), nameOf(i));
  }
});
afterAll(() => {
  model.dispose();
  rmSync(folder, { recursive: true });
});

const output = (name: string) => join(folder, name);
const embed = (to: string, ...more: string[]) => ['embed', pictures, '--weights', weights, '--output', to, ...more];

/** Each picture once, in order, with the features that the API gives; the bad one has a line that says so. */
async function expectWhole(file: string): Promise<void> {
  const lines = linesIn(file.replace(/npy$/, 'jsonl'));
  expect(lines.map(({ image }) => image)).toEqual(Array.from({ length: PICTURES }, (_, i) => nameOf(i)));
  expect(lines.filter(({ error }) => error).map(({ image }) => image)).toEqual([nameOf(BAD)]);
  const matrix = matrixIn(file);
  expect(matrix.rows).toBe(PICTURES - 1);
  const good = lines.filter(({ error }) => !error);
  expect(good.map(({ row }) => row)).toEqual(Array.from({ length: PICTURES - 1 }, (_, i) => i));
  for (let i = 0; i < 6; i++) {
    const features = [...(await model.embed(join(folder, `${i}.jpg`)))];
    expect(matrix.columns).toBe(features.length);
    for (const { image, row } of good) if (Number(image.slice(-8, -4)) % 6 === i) expect(matrix.row(row as number)).toEqual(features);
  }
}

describe('embed', () => {
  it('writes a matrix with a row a picture; one bad file costs one line', async () => {
    const { code, stderr } = await run(...embed(output('two.npy'), '--workers', '2'));
    expect(stderr).toContain(`${PICTURES} pictures; 1 could not be read`);
    expect(code).toBe(1);
    await expectWhole(output('two.npy'));
  });

  it('writes the same bytes by one thread, and by more than Node would decode on', async () => {
    for (const workers of ['1', '6']) {
      await run(...embed(output(`${workers}.npy`), '--workers', workers));
      for (const ending of ['npy', 'jsonl']) {
        expect(readFileSync(output(`${workers}.${ending}`)).equals(readFileSync(output(`two.${ending}`)))).toBe(true);
      }
    }
  });

  it('goes on where a killed run ended, nothing lost and nothing twice', async () => {
    const file = output('killed.npy');
    const lines = output('killed.jsonl');
    const child = begin(...embed(file, '--workers', '2'));
    const death = ended(child);
    while (!existsSync(lines) || statSync(lines).size === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    child.kill('SIGKILL');
    await death;
    const before = linesIn(lines).length;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(PICTURES);
    const { stderr } = await run(...embed(file));
    expect(stderr).toContain(`${PICTURES - before} pictures; ${before} were done before`);
    await expectWhole(file);
  });

  it('drops what a crash has left half written', async () => {
    const file = output('torn.npy');
    const lines = output('torn.jsonl');
    await run(...embed(file));
    // A line that was cut off, and rows that never reached the disk.
    truncateSync(lines, statSync(lines).size - 7);
    await run(...embed(file));
    await expectWhole(file);
    truncateSync(file, statSync(file).size - 5 * matrixIn(file).columns * 4 - 3);
    await run(...embed(file));
    await expectWhole(file);
    // Rows whose lines never reached the disk.
    appendFileSync(file, Buffer.alloc(1000));
    await run(...embed(file));
    await expectWhole(file);
  });

  it('ends at an interrupt with all that is done on the disk', async () => {
    const file = output('interrupted.npy');
    const lines = output('interrupted.jsonl');
    const size = () => (existsSync(lines) ? statSync(lines).size : 0);
    // Again and again: what threads have in hand at an interrupt differs.
    for (let i = 0; i < 6; i++) {
      const before = size();
      const child = begin(...embed(file, '--workers', '2'));
      const death = ended(child);
      while (size() <= before) await new Promise((resolve) => setTimeout(resolve, 2));
      child.kill('SIGINT');
      expect(await death).toMatchObject({ code: 130, stderr: expect.stringContaining('the same command goes on') });
      expect(linesIn(lines).filter(({ row }) => row !== undefined)).toHaveLength(matrixIn(file).rows);
    }
    await run(...embed(file));
    await expectWhole(file);
  });

  it('refuses to go on with other options', async () => {
    const { code, stderr } = await run(...embed(output('two.npy'), '--normalize'));
    expect(code).toBe(1);
    expect(stderr).toContain('was begun before, with another normalize');
    expect((await run(...embed(output('two.txt')))).stderr).toContain('--output must end with .npy or .jsonl');
  });

  it('reads a list from standard input and writes lines to standard output', async () => {
    const child = begin('embed', '--list', '-', '--weights', weights, '--output', '-', '--normalize');
    child.stdin?.end(`${nameOf(0)}\n${nameOf(BAD)}\n${join(folder, 'missing.jpg')}\n${nameOf(1)}\n`);
    const { stdout } = await ended(child);
    const lines = linesOf(stdout);
    expect(lines.map(({ error }) => error !== undefined)).toEqual([false, true, true, false]);
    const expected = await model.embed(nameOf(1), { normalize: true });
    expect(Float32Array.from(lines[3]?.embedding as number[])).toEqual(expected);
  });
});

describe('classify', () => {
  it('takes folders, and writes a line a picture with --output', async () => {
    const { code } = await run('classify', pictures, '--weights', weights, '--output', output('c.jsonl'), '--top', '2', '--workers', '2');
    expect(code).toBe(1);
    const lines = linesIn(output('c.jsonl'));
    expect(lines.map(({ image }) => image)).toEqual(Array.from({ length: PICTURES }, (_, i) => nameOf(i)));
    expect(lines[BAD]?.error).toContain('cannot be decoded');
    expect(lines[7]?.predictions).toEqual(await model.classify(nameOf(7), { topK: 2 }));
  });

  it('says what it expects where it finds no picture', async () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const { code, stderr } = await run('classify', empty, '--weights', weights);
    expect(code).toBe(1);
    expect(stderr).toMatch(/expected pictures, or folders .*; got .*empty/);
  });
});
