import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import sharp from 'sharp';
import type { Pixels } from '../src/inputs.js';
import { loadModel, quantize } from '../src/load.js';
import { Examples, Head, trainHead } from '../src/transfer.js';
import { writeSafetensors } from '../src/weights/safetensors.js';
import { readSafetensors } from '../src/weights/safetensors-reader.js';
import { random } from './random-network.js';

const next = random(11);
/** Points around a centre of their own. */
const point = (centre: number, size = 32) =>
  Float32Array.from({ length: size }, (_, i) => (i % 4 === centre ? 1 : 0) + 0.4 * (next() - 0.5));
const clouds = (counts: Record<string, number>) => {
  const examples = new Examples();
  Object.entries(counts).forEach(([label, count], centre) => {
    for (let i = 0; i < count; i++) examples.add(label, point(centre));
  });
  return examples;
};

const FOLDERS = readdirSync('images/validation').slice(0, 6);

/** Five looks at a picture. */
async function looksAt(folder: string): Promise<Pixels[]> {
  const [file] = readdirSync(`images/validation/${folder}`);
  const look = async (i: number) => {
    const { data, info } = await sharp(`images/validation/${folder}/${file}`)
      .resize(256, 256)
      .extract({ left: 6 * i, top: 30 - 6 * i, width: 220, height: 220 })
      .modulate({ brightness: 0.8 + 0.1 * i })
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height, channels: 3 } as const;
  };
  return Promise.all([0, 1, 2, 3, 4].map(look));
}

describe('on real embeddings', () => {
  it('tells pictures apart that the network was never trained to, from three examples of each', async () => {
    const model = await loadModel('checkpoints/mobilenet_v3_small.safetensors');
    const examples = new Examples();
    const others: { label: string; embedding: Float32Array }[] = [];
    for (const folder of FOLDERS) {
      for (const [i, look] of (await looksAt(folder)).entries()) {
        const embedding = await model.embed(look);
        if (i % 2 === 0) examples.add(folder, embedding);
        else others.push({ label: folder, embedding });
      }
    }
    const head = trainHead(examples);
    for (const { label, embedding } of others) {
      expect(head.classify(embedding)[0]?.label).toBe(label);
      expect(examples.nearest(embedding, 3)[0]?.label).toBe(label);
    }
    model.dispose();
  });
});

it('builds on a network without a classifier, in float32 and in int8', async () => {
  const whole = await loadModel('checkpoints/mobilenet_v3_small.safetensors');
  const { tensors } = readSafetensors(whole.save({ names: 'torchvision' }));
  const backbone = new Map([...tensors].filter(([name]) => !name.startsWith('classifier')));
  const float = await loadModel(writeSafetensors({ tensors: backbone, metadata: {} }));
  expect(float.classes).toBe(0);
  const looks = await Promise.all(FOLDERS.map(looksAt));
  const int8 = await quantize(
    float,
    looks.map(([first]) => first as Pixels),
    { rounding: 'nearest' },
  );
  for (const model of [float, int8]) {
    const examples = new Examples();
    for (const [i, own] of looks.entries()) {
      for (const look of own.slice(0, 3)) examples.add(FOLDERS[i] as string, await model.embed(look));
    }
    const head = trainHead(examples);
    for (const [i, own] of looks.entries()) expect(head.classify(await model.embed(own[4] as Pixels))[0]?.label).toBe(FOLDERS[i]);
  }
});

it('gives probabilities, the most probable first', () => {
  const examples = clouds({ a: 5, b: 5, c: 5 });
  for (const guesses of [examples.nearest(point(1)), trainHead(examples).classify(point(1))]) {
    expect(guesses.map(({ label }) => label).sort()).toEqual(['a', 'b', 'c']);
    expect(guesses[0]?.label).toBe('b');
    expect(guesses.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    expect(guesses).toEqual([...guesses].sort((x, y) => y.probability - x.probability));
  }
});

it('lets a label with few examples count as much as one with many', () => {
  const head = trainHead(clouds({ many: 200, few: 4 }));
  for (let i = 0; i < 20; i++) expect(head.classify(point(1))[0]?.label).toBe('few');
});

it('learns: the loss falls, and the same examples give the same head', () => {
  const losses: number[] = [];
  const examples = clouds({ a: 6, b: 6 });
  const head = trainHead(examples, { epochs: 50, onEpoch: (_, loss) => losses.push(loss) });
  expect(losses).toHaveLength(50);
  expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 2);
  expect(Buffer.compare(trainHead(examples, { epochs: 50 }).save(), head.save())).toBe(0);
});

it('saves and loads examples and heads', () => {
  const examples = clouds({ a: 3, 'b "quoted"': 4, __proto__x: 1 });
  const back = Examples.load(examples.save());
  expect(back.counts).toEqual(examples.counts);
  const other = point(0);
  expect(back.nearest(other)).toEqual(examples.nearest(other));
  const head = trainHead(examples);
  expect(Head.load(head.save()).classify(other)).toEqual(head.classify(other));
  expect(Examples.load(new Examples().save()).counts.size).toBe(0);
});

it('forgets', () => {
  const examples = clouds({ a: 3, b: 3 });
  expect(examples.remove('a')).toBe(true);
  expect(examples.remove('a')).toBe(false);
  expect([...examples.counts]).toEqual([['b', 3]]);
  examples.remove('b');
  examples.add('other', new Float32Array(7).fill(1));
  expect(examples.size).toBe(7);
});

it('says what is wrong', () => {
  const examples = clouds({ a: 3 });
  expect(() => examples.add('a', new Float32Array(5))).toThrow(/must have 32 values; got 5/);
  expect(() => examples.add('a', new Float32Array(32).fill(Number.NaN))).toThrow(/must be finite/);
  expect(() => examples.nearest(point(0), 0)).toThrow(/above 0/);
  expect(() => new Examples().nearest(point(0))).toThrow(/no examples/);
  expect(() => trainHead(examples)).toThrow(/at least two labels/);
  expect(() => trainHead(clouds({ a: 1, b: 1 }), { epochs: 0 })).toThrow(/at least 1/);
  expect(() => trainHead(clouds({ a: 1, b: 1 })).classify(new Float32Array(3))).toThrow(/takes 32 values/);
});

it('refuses files that are none with a typed error', () => {
  const examples = clouds({ a: 2, b: 2 });
  const files = [examples.save(), trainHead(examples).save()];
  const tried = (bytes: Uint8Array) => {
    for (const load of [Examples.load, Head.load]) {
      try {
        load(bytes);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_/) });
      }
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), tried), { numRuns: 500 });
  fc.assert(
    fc.property(fc.json(), (text) => tried(new TextEncoder().encode(text))),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.constantFrom(...files), fc.nat(), fc.nat(255), (file, at, byte) => {
      const changed = file.slice();
      changed[at % changed.length] = byte;
      tried(changed);
      tried(file.subarray(0, at % file.length));
    }),
    { numRuns: 2000 },
  );
  expect(() => Head.load(examples.save())).toThrow(/damaged/);
});
