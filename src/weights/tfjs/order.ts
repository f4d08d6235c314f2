import { ModelFormatError, UnsupportedModelError } from '../../errors.js';

// Which nodes of a GraphDef the network is made of, and in which order.

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, Attribute>>;
}

export interface Attribute {
  readonly s?: string;
  readonly i?: string | number;
  readonly f?: number;
  readonly b?: boolean;
  readonly list?: { readonly i?: readonly (string | number)[]; readonly s?: readonly string[] };
  readonly shape?: { readonly dim?: readonly { readonly size?: string | number }[] };
}

/** Operators that leave values as they are; what computes a shape for them is never looked at. */
export const ALIASES = new Set([
  'Identity',
  'StopGradient',
  'PreventGradient',
  'Reshape',
  'Squeeze',
  'ExpandDims',
  'Snapshot',
  'Cast',
  'CheckNumerics',
]);

/** 'name:0' and 'name' are one tensor. */
const base = (name: string): string => name.replace(/:\d+$/, '');

/** By the signature; without one, the node that nothing reads. */
export function outputOf(byName: ReadonlyMap<string, GraphNode>, model: Readonly<Record<string, unknown>>): string {
  type Signed = { signature?: { outputs?: Record<string, { name?: unknown }> } };
  const { signature } = (model as Signed).signature ? (model as Signed) : ((model['userDefinedMetadata'] ?? {}) as Signed);
  const named = Object.values(signature?.outputs ?? {}).map((output) => base(String(output?.name)));
  const read = new Set([...byName.values()].flatMap(({ input = [] }) => input.map(base)));
  const outputs =
    named.length > 0 ? named : [...byName.values()].filter(({ name, op }) => !read.has(name) && op !== 'NoOp').map(({ name }) => name);
  const [output] = outputs;
  if (output === undefined || outputs.length > 1) {
    throw new UnsupportedModelError(`tfjs: ${outputs.length} outputs; networks that classify an image or give its features have one.`);
  }
  return output;
}

/** What an output needs, each node after what it reads. */
export function ordered(byName: ReadonlyMap<string, GraphNode>, output: string): GraphNode[] {
  const done = new Set<string>();
  const entered = new Set<string>();
  const result: GraphNode[] = [];
  const stack = [output];
  while (stack.length > 0) {
    const name = stack.at(-1) as string;
    const node = byName.get(name);
    if (!node) throw new ModelFormatError(`tfjs: node "${name}" is read, and not there.`);
    const waiting = done.has(name) ? [] : inputsOf(node).filter((input) => !done.has(input));
    if (waiting.length === 0) {
      stack.pop();
      if (!done.has(name)) result.push(node);
      done.add(name);
      continue;
    }
    if (entered.has(name)) throw new ModelFormatError(`tfjs: node "${name}" reads what is computed of itself.`);
    entered.add(name);
    stack.push(...waiting);
  }
  return result;
}

/** Tensors that a node reads. */
export function inputsOf({ op, input = [] }: GraphNode): string[] {
  const data = input.filter((name) => !name.startsWith('^')).map(base);
  return ALIASES.has(op) ? data.slice(0, 1) : data;
}
