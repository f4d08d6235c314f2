// Which kernel a WebAssembly function is, and how many multiply-adds of a network are its own.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadModel } from '../../dist/index.js';
import { root } from '../prepare.mjs';

/**
 * What the compiler's text beside a binary says of its functions, by index; nothing for another engine's binary. Kernels are what the
 * function calls that calls most others, the dispatcher. Any other function is a helper: it works for the kernel that called it.
 *
 * @param hashes of the binaries that ran
 * @returns { name, isHelper }
 */
export function functionsOf(hashes) {
  const folder = join(root, 'build');
  const hashOf = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');
  const binary = readdirSync(folder).find((name) => name.endsWith('.wasm') && hashes.includes(hashOf(join(folder, name))));
  const file = binary && join(folder, binary.replace('.wasm', '.wat'));
  if (!file || !existsSync(file)) return [];
  const [head, ...bodies] = readFileSync(file, 'utf8').split(/^ \(func \$/m);
  const imported = [...head.matchAll(/^ \(import .*\(func /gm)].map(() => ({ name: 'import', isHelper: true }));
  const own = bodies.map((body) => ({
    name: /^[^ )]+/.exec(body)[0],
    calls: new Set([...body.matchAll(/\bcall \$([^\s)]+)/g)].map(([, name]) => name)),
  }));
  const dispatcher = own.reduce((most, each) => (each.calls.size > most.calls.size ? each : most));
  const isHelper = ({ name, calls }) => !dispatcher.calls.has(name) && !calls.has(dispatcher.name) && name !== dispatcher.name;
  return [...imported, ...own.map((each) => ({ name: each.name.replace(/^assembly\//, ''), isHelper: isHelper(each) }))];
}

/** Kinds of layers whose kernels can be told by their names. A depthwise kernel is told by its window and stride too. */
const KINDS = { pointwise: /pointwise$/, convolution: /convolution$/, fullyConnected: /(vector|one)$/ };

/** @returns multiply-adds of a network, each { kind, madds, kernels }: a pattern that the kernels' names match */
export async function layersOf(file) {
  const model = await loadModel(readFileSync(file));
  const { layers, blocks } = model.summary;
  model.dispose();
  const kinds = new Map();
  for (const layer of layers.filter(({ madds }) => madds > 0)) {
    const block = blocks.find(({ name }) => layer.name.startsWith(`${name}.`));
    const window = block ? `${block.kernel}x${block.kernel}s${block.stride}` : '';
    const isDepthwise = layer.kind === 'depthwise';
    const kind = isDepthwise ? `depthwise ${window}` : layer.kind;
    const before = kinds.get(kind)?.madds ?? 0;
    kinds.set(kind, { kind, madds: before + layer.madds, kernels: isDepthwise ? new RegExp(`depthwise_${window}$`) : KINDS[kind] });
  }
  return [...kinds.values()];
}
