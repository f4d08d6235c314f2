import { readFileSync } from 'node:fs';
import { FIELDS } from '../../src/engine/instruction.js';

it('writes the words of an instruction in the order in which the kernels read them', () => {
  const source = readFileSync('assembly/arguments.ts', 'utf8');
  const declared = [...source.matchAll(/^ {2}(\w+): (?:usize|f32);$/gm)].map(([, name]) => name);
  expect(declared).toEqual([...FIELDS]);
});
