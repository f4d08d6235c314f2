// Which kernel a WebAssembly function is, and how many multiply-adds of a network are its own.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadModel } from '../../dist/index.js';
import { root } from '../prepare.mjs';

/** Names by index, from the text that the compiler wrote beside the binary of this hash; none for another engine's binary. */
export function functionNames(hashes) {
  const folder = join(root, 'build');
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.wasm'))) {
    const text = join(folder, file.replace('.wasm', '.wat'));
    const hash = createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex');
    if (!hashes.includes(hash) || !existsSync(text)) continue;
    const lines = readFileSync(text, 'utf8').split('\n');
    const imported = lines.filter((line) => /^ \(import .*\(func /.test(line)).map(() => 'import');
    const own = lines.map((line) => /^ \(func \$([^ )]+)/.exec(line)?.[1]).filter(Boolean);
    return [...imported, ...own.map((name) => name.replace(/^assembly\//, ''))];
  }
  return [];
}

/** Kinds of layers whose functions can be told by their names. A depthwise kernel is told by its window and stride too. */
const KINDS = [
  { kind: 'pointwise', functions: /pointwise(?!.*vector$)/ },
  { kind: 'convolution', functions: /convolution|window/ },
  { kind: 'fullyConnected', functions: /vector$/ },
];

/** @returns multiply-adds of a network by kernel, each { kernel, madds, functions }: a pattern that the functions' names match */
export async function kernelsOf(file) {
  const model = await loadModel(readFileSync(file));
  const { layers, blocks } = model.summary;
  model.dispose();
  const kernels = new Map();
  for (const { name, kind, madds } of layers) {
    const block = blocks.find((each) => name.startsWith(`${each.name}.`));
    const window = block ? `${block.kernel}x${block.kernel}s${block.stride}` : '';
    const kernel = kind === 'depthwise' ? `depthwise ${window}` : kind;
    const functions = kind === 'depthwise' ? new RegExp(`depthwise_${window}`) : KINDS.find((each) => each.kind === kind)?.functions;
    if (!functions || madds === 0) continue;
    const before = kernels.get(kernel)?.madds ?? 0;
    kernels.set(kernel, { kernel, madds: before + madds, functions });
  }
  return [...kernels.values()];
}
