import { Engine } from '../../src/engine/engine.js';
import { OutOfMemoryError } from '../../src/errors.js';

it('refuses what is beyond its memory, and goes on', async () => {
  const engine = await Engine.create('baseline', 1);
  const mark = engine.mark();
  for (const bytes of [2 ** 30, 2 ** 40, Number.POSITIVE_INFINITY]) {
    expect(() => engine.allocate(bytes)).toThrow(OutOfMemoryError);
    expect(engine.mark()).toBe(mark);
  }
  const pointer = engine.allocate(100);
  expect(
    engine
      .bytes(pointer, 100)
      .fill(1)
      .every((byte) => byte === 1),
  ).toBe(true);
});

describe('where an engine gives little memory that threads share', () => {
  const { Memory } = WebAssembly;
  afterEach(() => {
    WebAssembly.Memory = Memory;
  });

  /** As a phone: a shared memory of more pages is refused, and with `own` false one of its own too. */
  function giveAtMost(pages: number, own = true): number[] {
    const asked: number[] = [];
    const limited = class extends Memory {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        const maximum = descriptor.maximum as number;
        if (descriptor.shared) asked.push(maximum);
        if (descriptor.shared ? maximum > pages : !own) throw new RangeError('could not allocate memory');
        super(descriptor);
      }
    };
    WebAssembly.Memory = limited;
    return asked;
  }

  it('takes less of it, and says how much that is when it is full', async () => {
    const asked = giveAtMost(2048);
    const engine = await Engine.create('baseline', 2);
    expect(asked).toEqual([4096, 2048]);
    expect(engine.threads).toBe(2);
    expect(() => engine.allocate(2 ** 27)).toThrow(
      /needs 128 MiB .* more than the 128 MiB that memory shared by threads may have; use threads: 1/,
    );
    engine.allocate(2 ** 26);
    engine.dispose();
  });

  it('runs on one thread where there is none', async () => {
    giveAtMost(0);
    const engine = await Engine.create('baseline', 2);
    expect(engine.threads).toBe(1);
    engine.allocate(2 ** 28);
  });

  it('says so where there is no memory at all', async () => {
    giveAtMost(0, false);
    await expect(Engine.create('baseline', 1)).rejects.toThrow(/this engine gives no WebAssembly memory any more; dispose\(\) models/);
  });
});
