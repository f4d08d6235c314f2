import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { MobileNetError } from '../../src/errors.js';
import { loadModel } from '../../src/load.js';
import { writeSafetensors } from '../../src/weights/safetensors.js';
import { readTorch } from '../../src/weights/torch/checkpoint.js';
import { unpickle } from '../../src/weights/torch/pickle.js';
import { checkpoint, pseudoRandom } from '../pseudo-random.js';

// Made by torch.save (scripts/golden.py) of the network whose weights checkpoint() makes here.
const file = new Uint8Array(readFileSync('test/golden/small.pth'));
const image = { data: pseudoRandom('x', 64 * 64 * 3), shape: [1, 64, 64, 3] } as const;

it('reads what torch.save wrote, bit for bit', async () => {
  const tensors = checkpoint('mobilenet_v3_small', { width: 0.5, classes: 20 });
  const [torch, twin] = [await loadModel(file), await loadModel(writeSafetensors({ tensors, metadata: {} }))];
  expect(torch.architecture).toBe('mobilenet_v3_small');
  expect(await torch.predict(image)).toEqual(await twin.predict(image));
});

const pickle = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

it.each([
  ['a global that runs code', 'cos\nsystem\n(X\x02\0\0\0lstR.', /asks for os\.system/],
  ['a built-in', 'c__builtin__\neval\n.', /asks for __builtin__\.eval/],
  ['an opcode of no data', 'i', /opcode 0x69/],
  ['a memo of nothing', 'h\x07.', /nothing is remembered as 7/],
  ['an empty stack', '.', /stack is empty/],
  ['a string longer than the file', 'X\xff\xff\xff\x7f', /bytes are missing/],
  ['no dictionary', 'K\x01.', /no dictionary of tensors/],
])('refuses %s', (_, text, message) => {
  expect(() => unpickle(pickle(text))).toThrow(message);
});

it('keeps names of JavaScript as plain keys', () => {
  const entries = unpickle(pickle('}X\x09\0\0\0__proto__K\x01s.'));
  expect([...entries]).toEqual([['__proto__', 1]]);
  expect(({} as Record<string, unknown>)['1']).toBeUndefined();
});

it("names PyTorch's format of before 1.6", async () => {
  await expect(loadModel(Uint8Array.of(0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8))).rejects.toThrow(
    /before 1\.6/,
  );
});

describe('a damaged file', () => {
  const settles = (bytes: Uint8Array) => {
    try {
      readTorch(bytes);
    } catch (error) {
      if (!(error instanceof MobileNetError)) throw error;
    }
  };

  it('gives typed errors when cut, anywhere', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: file.length }), (length) => settles(file.subarray(0, length))),
      { numRuns: 300 },
    );
  });

  it('gives typed errors when bytes change, in the directory and the pickle above all', () => {
    const at = fc.oneof(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: file.length - 20_000, max: file.length - 1 }));
    const changes = fc.array(fc.tuple(at, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(changes, (list) => {
        const bytes = file.slice();
        for (const [position, value] of list) bytes[position] = value;
        settles(bytes);
      }),
      { numRuns: 1000 },
    );
  });
});
