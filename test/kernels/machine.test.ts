import { Engine } from '../../src/engine/engine.js';
import { machineOf } from '../../src/engine/machine.js';
import { MACHINES } from './engines.js';

/** machineOf() asks once a module. */
const asked = (engine: Engine) => machineOf(Object.create(engine, { module: { value: {} } }) as Engine);

it('finds the dot product of bytes by what it computes', async () => {
  expect(asked(await Engine.create('baseline')).dot).toBeUndefined();
  for (const dot of ['signed', 'unsigned'] as const) {
    const machine = MACHINES.find(({ name }) => name === `planes, ${dot} bytes`);
    expect(asked((await machine?.engine()) as Engine).dot).toBe(dot);
  }
});

it('divides zero by zero', async () => {
  const bits = (await Engine.create('baseline')).exports.zero_over_zero(0);
  expect([0x7fc00000, 0x7fc00000 | -0x80000000]).toContain(bits);
});
