// What a page of nsfwjs loads, to compare with: the network without its surroundings. Both read the same files.
import * as tf from '@tensorflow/tfjs';
import { load as loadNsfw } from 'nsfwjs/core';

/** On a backend, or on the one that TensorFlow.js prefers. Undefined where the browser lacks it. */
export async function load(backend) {
  if (backend && !(await tf.setBackend(backend).catch(() => false))) return undefined;
  await tf.ready();
  return loadNsfw('./model/', { size: 224 });
}
