// One row on one machine: cycles of an inference by processor, function by function, kernel by kernel.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../prepare.mjs';
import { count } from './blocks.mjs';
import { layersOf } from './kernels.mjs';
import { cycles, disassemble } from './mca.mjs';

/** Functions with a smaller share of the instructions are not listed. */
const SHARE = 0.002;

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** Everything that runs or decides what runs: the build or the peer, and these files. */
const SOURCES = {
  ours: ['dist'],
  'LiteRT.js': ['bench/node_modules/@litertjs/core', 'bench/contenders/litert.mjs'],
  'tfjs-backend-wasm': ['bench/node_modules/@tensorflow/tfjs-backend-wasm/dist', 'bench/contenders/tfjs.mjs', 'build/internals.js'],
};
const SCRIPTS = ['infer.mjs', 'litert.mjs', 'machines.mjs', 'blocks.mjs', 'mca.mjs', 'estimate.mjs', 'kernels.mjs'];

function filesUnder(path) {
  if (/\.m?js$/.test(path)) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(m?js|wasm)$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

const hashes = new Map();
function hashOf(path) {
  if (!hashes.has(path)) {
    const hash = createHash('sha256');
    for (const file of filesUnder(path)) hash.update(readFileSync(file));
    hashes.set(path, hash.digest('hex'));
  }
  return hashes.get(path);
}

/** An estimate holds as long as this stays the same. */
export function keyOf(row, machine, { qemu, llvm, node, native }) {
  const paths = [...SOURCES[row.engine], ...SCRIPTS.map((name) => `bench/arm/${name}`)];
  const hash = createHash('sha256').update(readFileSync(row.file));
  const { name, network, file, ...what } = row;
  hash.update(JSON.stringify([what, machine, qemu, llvm, node[machine.name], machine.name === 'x64' ? native : '']));
  for (const path of paths) hash.update(hashOf(join(root, path)));
  return hash.digest('hex').slice(0, 16);
}

/** Instructions, and cycles by processor, of some blocks. */
const total = (blocks, models) => ({
  instructions: sum(blocks.map((block) => block.count * block.instructions)),
  cycles: Object.fromEntries(models.map((model) => [model, Math.round(sum(blocks.map((block) => block.count * block.cycles[model])))])),
});

/** @returns { skipped } or { instructions, cycles: { model: number }, functions, layers } */
export async function estimate(row, machine, progress) {
  const { skipped, blocks, names } = await count(machine, row, progress);
  if (skipped) return { skipped };
  progress('model');
  const models = machine.processors.map(({ model }) => model);
  const texts = disassemble(machine, blocks);
  for (const block of blocks) block.cycles = {};
  for (const model of models) for (const [i, value] of cycles(machine, model, texts).entries()) blocks[i].cycles[model] = value;

  const nameOf = (index) => names[index] ?? `function ${index}`;
  const all = total(blocks, models);
  const functions = [...new Set(blocks.map(({ index }) => index))]
    .map((index) => ({
      name: nameOf(index),
      ...total(
        blocks.filter((block) => block.index === index),
        models,
      ),
    }))
    .filter(({ instructions }) => instructions > SHARE * all.instructions)
    .sort((a, b) => b.instructions - a.instructions);
  const layers = (names.length > 0 ? await layersOf(row.file) : [])
    .map(({ kind, madds, kernels }) => ({ kind, madds, own: blocks.filter(({ kernel }) => kernels?.test(nameOf(kernel))) }))
    .filter(({ own }) => own.length > 0)
    .map(({ kind, madds, own }) => ({ kind, madds, ...total(own, models) }));
  return { ...all, functions, layers };
}
