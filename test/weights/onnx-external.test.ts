import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel } from '../../src/load.js';
import { bytesSource } from '../../src/source/source.js';
import { readFilesBeside } from '../../src/weights/onnx/external.js';
import { type OnnxTensor, readModel } from '../../src/weights/onnx/model.js';
import { bytes, integer, message, networkFor, onnxModel, PIXELS, SHARD, SIDE } from './onnx-writer.js';

// ONNX models whose tensors lie in a file beside them, as PyTorch's exporter writes them.

const { file, shard } = onnxModel(networkFor('external'), 'external');
const image = { data: PIXELS, shape: [1, SIDE, SIDE, 3] } as const;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-onnx-'));
  writeFileSync(join(folder, 'model.onnx'), file);
  writeFileSync(join(folder, SHARD), shard);
});
afterAll(() => rmSync(folder, { recursive: true }));

it('are the model that has all in one file', async () => {
  const whole = await loadModel(onnxModel(networkFor('external'), 'float').file);
  const apart = await loadModel(join(folder, 'model.onnx'));
  expect(file.length).toBeLessThan(shard.length / 5);
  expect(await apart.predict(image)).toEqual(await whole.predict(image));
});

it('say which file is missing, and where it was looked for', async () => {
  const model = new File([file as BlobPart], 'model.onnx');
  await expect(loadModel(file)).rejects.toThrow(`needs the file "${SHARD}" beside it; give its path or URL, or a File[] of all its files`);
  await expect(loadModel(model)).rejects.toThrow(`needs the file "${SHARD}" beside it; give its path or URL, or a File[] of all its files`);
  await expect(loadModel([model])).rejects.toThrow(`model.onnx needs the file "${SHARD}"; the files given are model.onnx.`);
  rmSync(join(folder, SHARD));
  const path = join(folder, 'model.onnx');
  const missing = `the model needs the file "${SHARD}" beside it: ${join(folder, SHARD)} cannot be read`;
  await expect(loadModel(path)).rejects.toMatchObject({ code: 'ERR_INPUT', message: expect.stringContaining(missing) });
});

describe('a tensor', () => {
  const ends = [message(11, bytes(1, 'x')), message(12, bytes(1, 'y'))];
  const graph = (...tensors: readonly Buffer[]) => new Uint8Array(Buffer.concat([integer(1, 7), message(7, ...tensors, ...ends)]));
  /** Two float16 numbers. */
  const tensor = (place: Record<string, string>, shape = [2], location = 1) =>
    message(
      5,
      ...shape.map((side) => integer(1, side)),
      integer(2, 10),
      bytes(8, 'w'),
      ...Object.entries(place).map(([key, value]) => message(13, bytes(1, key), bytes(2, value))),
      integer(14, location),
    );
  const asked: string[] = [];
  const read = async (...tensors: readonly Buffer[]): Promise<OnnxTensor> => {
    asked.length = 0;
    const beside = async (name: string) => {
      asked.push(name);
      return new Uint8Array(Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400).buffer);
    };
    const model = graph(...tensors);
    return readModel(model, await readFilesBeside(model, { ...bytesSource(model), beside })).constants.get('w') as OnnxTensor;
  };

  it('is a part of the file that it names, which is read once', async () => {
    expect((await read(tensor({ location: 'a' }))).values).toEqual(Float32Array.of(1, 2));
    expect((await read(tensor({ location: 'a', offset: '2' }))).values).toEqual(Float32Array.of(2, 3));
    expect((await read(tensor({ length: '4', location: 'a', offset: '4', checksum: 'x' }))).values).toEqual(Float32Array.of(3, 4));
    await read(tensor({ location: 'a' }), tensor({ location: 'b' }), tensor({ location: 'a', offset: '4' }));
    expect(asked).toEqual(['a', 'b']);
  });

  it.each<[string, Record<string, string>, string]>([
    ['beyond the end', { offset: '6' }, 'tensor "w" of shape [2] ends at byte 10 of "a", which has 8; it is cut off, or another model\'s.'],
    ['far beyond', { offset: '999999999999999' }, 'ends at byte 1000000000000003 of "a", which has 8'],
    ['before the beginning', { offset: '-2' }, 'has the offset "-2" in "a"'],
    ['at no number', { offset: '0x2' }, 'has the offset "0x2" in "a"'],
    ['longer than it is', { length: '8' }, 'takes 4 bytes; it claims 8 of "a"'],
    ['of absurd length', { length: '9'.repeat(400) }, 'has the length "99999999999999999999" in "a"'],
  ])('is refused %s', async (_, place, text) => {
    await expect(read(tensor({ location: 'a', ...place }))).rejects.toMatchObject({
      code: 'ERR_MODEL_FORMAT',
      message: expect.stringContaining(text),
    });
  });

  it('is refused where its shape is absurd, or takes what others have taken', async () => {
    await expect(read(tensor({ location: 'a' }, [2 ** 40, 2 ** 40]))).rejects.toThrow('of "a", which has 8');
    await expect(read(tensor({ location: 'a' }, [-1]))).rejects.toThrow('of shape [-1] holds');
    const twice = [tensor({ location: 'a' }), tensor({ location: 'a' })];
    await expect(read(...twice)).resolves.toBeDefined();
    await expect(read(...twice, tensor({ location: 'a' }))).rejects.toThrow('tensors claim more bytes of "a" than the 8 that it has');
  });

  it('lies in the model where it does not say otherwise', async () => {
    const own = message(5, integer(2, 2), bytes(8, 'w'), bytes(9, Uint8Array.of(7)), message(13, bytes(1, 'location'), bytes(2, 'a')));
    expect((await read(own)).values).toEqual(Uint8Array.of(7));
    expect(asked).toEqual([]);
  });

  it('of an operator has its bytes in the model', () => {
    const attribute = message(5, bytes(1, 'value'), tensor({ location: 'a' }));
    expect(() => readModel(graph(message(1, bytes(4, 'Constant'), attribute)))).toThrow('lies in another file, "a"');
  });
});
