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
