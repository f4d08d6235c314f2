import * as h5wasm from 'h5wasm';
import { storedZip } from './zip-writer.js';

// Files as Keras lays them out, written by HDF5's own library (h5wasm) in the oldest format, which h5py takes too.

export const isReady = h5wasm.ready;

export async function writtenHdf5(fill: (file: h5wasm.File) => void): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File('written.h5', 'w', { libver: ['earliest', 'v108'] } as never);
  fill(file);
  file.close();
  const bytes = FS.readFile('written.h5') as Uint8Array;
  FS.unlink('written.h5');
  return bytes;
}

export const put = (group: h5wasm.Group, name: string, data: Float32Array, shape: readonly number[]) =>
  group.create_dataset({ name, data, shape: [...shape], dtype: '<f' });

export interface KerasLayer {
  readonly class_name: string;
  readonly config: Record<string, unknown>;
  readonly inbound_nodes?: unknown;
}

/**
 * A .keras archive of Keras 3.
 *
 * @param variables a layer's, in their order, by its place: layers/conv2d_1
 */
export async function kerasArchive(
  description: unknown,
  variables: ReadonlyMap<string, readonly (readonly [Float32Array, readonly number[]])[]>,
): Promise<Uint8Array> {
  const weights = await writtenHdf5((file) => {
    for (const [place, own] of variables) {
      let group: h5wasm.Group = file;
      for (const part of [...place.split('/'), 'vars']) {
        group = (group.keys().includes(part) ? group.get(part) : group.create_group(part)) as h5wasm.Group;
      }
      for (const [i, [data, shape]] of own.entries()) put(group, `${i}`, data, shape);
    }
  });
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  return storedZip({ 'metadata.json': json({ keras_version: '3.5.0' }), 'config.json': json(description), 'model.weights.h5': weights });
}

/** Conv2D_1 and so on: what Keras 3 calls layers of a class in a file of weights, as they come. */
export function places(): (className: string) => string {
  const names: Readonly<Record<string, string>> = {
    Conv2D: 'conv2d',
    DepthwiseConv2D: 'depthwise_conv2d',
    BatchNormalization: 'batch_normalization',
    Dense: 'dense',
    Functional: 'functional',
  };
  const counts = new Map<string, number>();
  return (className) => {
    const count = counts.get(className) ?? 0;
    counts.set(className, count + 1);
    return `layers/${names[className]}${count === 0 ? '' : `_${count}`}`;
  };
}
