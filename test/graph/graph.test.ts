import {
  type ConvNode,
  countReaders,
  imageInput,
  inferShapes,
  isDepthwise,
  type Node,
  outputNames,
  renameOutputs,
  resolvePadding,
  type Shape,
} from '../../src/graph/graph.js';
import { conv } from './nodes.js';

describe('padding', () => {
  it('is what is given, or none', () => {
    expect(resolvePadding('valid', [9, 9], [3, 3], [1, 1])).toEqual([0, 0, 0, 0]);
    expect(resolvePadding([1, 2, 3, 4], [9, 9], [3, 3], [1, 1])).toEqual([1, 2, 3, 4]);
  });

  it.each([
    // size, kernel, stride: TensorFlow's ceil(size / stride) outputs need so many rows before and after.
    [9, 3, 1, 1, 1],
    [9, 3, 2, 1, 1],
    [8, 3, 2, 0, 1],
    [8, 5, 2, 1, 2],
    [7, 5, 2, 2, 2],
    [8, 1, 2, 0, 0],
    [9, 2, 1, 0, 1],
    [10, 2, 3, 0, 1],
  ])("'same' of %d pixels, a kernel of %d and a stride of %d is %d before and %d after, on either side", (size, k, s, before, after) => {
    expect(resolvePadding('same', [size, 1], [k, 1], [s, 1])).toEqual([before, after, 0, 0]);
    expect(resolvePadding('same', [1, size], [1, k], [1, s])).toEqual([0, 0, before, after]);
  });
});

const shapesOf = (nodes: readonly Node[], inputs: readonly (readonly [string, Shape])[] = imageInput(9, 7)) =>
  Object.fromEntries(inferShapes(nodes, inputs));
const add = (inputs: string[], change: Partial<Node> = {}): Node =>
  ({ kind: 'add', name: 'sum', inputs, activation: 'none', ...change }) as Node;

describe('shapes', () => {
  it('follow the nodes', () => {
    const stem = conv({ name: 'stem', inputs: ['input'], inputChannels: 3, kernel: [3, 3], strides: [2, 1], padding: [1, 0, 2, 1] });
    expect(
      shapesOf([
        stem,
        { kind: 'activation', name: 'swish', inputs: ['stem'], activation: 'hardSwish' },
        { kind: 'globalAveragePool', name: 'pool', inputs: ['swish'] },
        { kind: 'multiply', name: 'gated', inputs: ['swish', 'pool'] },
        add(['gated', 'stem']),
      ]),
    ).toEqual({ input: [9, 7, 3], stem: [4, 8, 8], swish: [4, 8, 8], pool: [1, 1, 8], gated: [4, 8, 8], sum: [4, 8, 8] });
  });

  it('need kernels that fit', () => {
    const of = (kernel: [number, number]) => conv({ inputs: ['input'], inputChannels: 3, kernel, padding: 'valid' });
    expect(shapesOf([of([9, 7])])).toMatchObject({ conv: [1, 1, 8] });
    expect(() => shapesOf([of([10, 7])])).toThrow('conv: a 10x7 kernel does not fit into 9x7 pixels.');
    expect(() => shapesOf([of([9, 8])])).toThrow('conv: a 9x8 kernel does not fit into 9x7 pixels.');
  });

  it('need channels, inputs and names that fit', () => {
    expect(() => shapesOf([conv({ inputs: ['input'], inputChannels: 4 })])).toThrow('conv: expected 4 input channels; got 3.');
    expect(() => shapesOf([add(['input', 'later'])])).toThrow('sum: it reads "later", but no earlier node makes that tensor.');
    expect(() => shapesOf([add([])])).toThrow('sum: needs at least one input; got none.');
    expect(() => shapesOf([add(['input', 'input']), add(['input', 'input'])])).toThrow('node names must be unique; got "sum" twice.');
    for (const kind of ['add', 'multiply'] as const)
      expect(() => shapesOf([add(['input'], { kind })])).toThrow('sum: needs two inputs; got one.');
  });

  it.each([
    [[9, 7, 3], true],
    [[1, 1, 3], true],
    [[1, 1, 4], false],
    [[9, 7, 4], false],
    [[9, 6, 3], false],
    [[8, 7, 3], false],
    [[1, 7, 3], false],
    [[9, 1, 3], false],
  ] as const)('take a second operand of %j with 9 x 7 x 3: %s', (shape, fits) => {
    const check = () => shapesOf([add(['input', 'other'])], [...imageInput(9, 7), ['other', shape]]);
    if (fits) expect(check().sum).toEqual([9, 7, 3]);
    else expect(check).toThrow(`sum: the second input must be 9x7x3 or 1x1x3; got ${shape.join('x')}.`);
  });

  it("take a convolution's residual at the size of its output alone", () => {
    const residual = (shape: Shape) => () =>
      shapesOf([conv({ inputs: ['input', 'other'], inputChannels: 3 })], [...imageInput(9, 7), ['other', shape]]);
    expect(residual([9, 7, 8])().conv).toEqual([9, 7, 8]);
    expect(residual([1, 1, 8])).toThrow('conv: the second input must be 9x7x8; got 1x1x8.');
    expect(residual([9, 7, 3])).toThrow('the second input must be 9x7x8; got 9x7x3.');
  });
});

it('tells depthwise convolutions from others', () => {
  expect(isDepthwise(conv({ groups: 1 }))).toBe(false);
  expect(isDepthwise(conv({ groups: 8, inputChannels: 8 }))).toBe(true);
});

it('counts who reads a tensor', () => {
  const nodes = [conv({ inputs: ['input'] }), add(['conv', 'conv']), add(['conv', 'sum'], { name: 'again' })];
  expect(Object.fromEntries(countReaders(nodes as ConvNode[]))).toEqual({ input: 1, conv: 3, sum: 1 });
});

it('names and renames outputs, with logits and without', () => {
  const renamed = (name: string) => `new ${name}`;
  expect(outputNames({ logits: 'a', embedding: 'b' })).toEqual(['a', 'b']);
  expect(outputNames({ embedding: 'b' })).toEqual(['b']);
  expect(renameOutputs({ logits: 'a', embedding: 'b' }, renamed)).toEqual({ logits: 'new a', embedding: 'new b' });
  expect(renameOutputs({ embedding: 'b' }, renamed)).toEqual({ embedding: 'new b' });
});
