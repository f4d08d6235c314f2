import type { ConvNode } from '../../src/graph/graph.js';

/** A pointwise convolution of 8 channels called conv, but for what is said. */
export const conv = (change: Partial<ConvNode> = {}): ConvNode => ({
  kind: 'conv',
  name: 'conv',
  inputs: ['x'],
  kernel: [1, 1],
  strides: [1, 1],
  padding: 'valid',
  inputChannels: 8,
  channels: 8,
  groups: 1,
  activation: 'none',
  ...change,
});
