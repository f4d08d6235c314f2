import { ModelFormatError, UnsupportedModelError } from '../../errors.js';

// A Keras model's description: what Keras 2 and 3 and TensorFlow.js write, checked before it is believed.

export interface Layer {
  readonly kind: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inbound: unknown;
  /** A number among the arguments of an operator: x / 127.5. */
  readonly number?: number | undefined;
}

export interface Model {
  readonly name: string;
  readonly sequential: boolean;
  readonly layers: readonly Layer[];
  /** Names of the layers whose tensors it gives. */
  readonly outputs: readonly string[];
}

const MOST_LAYERS = 5000;
const DEEPEST = 20;

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The layers of a config that is a model's; older Sequentials are a list of them alone. */
export const layersOf = (config: unknown): readonly unknown[] | undefined =>
  Array.isArray(config) ? config : isRecord(config) && Array.isArray(config['layers']) ? config['layers'] : undefined;

export function modelOf(description: Readonly<Record<string, unknown>>, format: string): Model {
  const { class_name: kind, config } = description;
  const layers = layersOf(config);
  if (!layers || layers.length === 0 || layers.length > MOST_LAYERS || depthOf(description) > DEEPEST) {
    throw new UnsupportedModelError(`${format}: the model is a ${String(kind)}; a Sequential or Functional one with layers is read.`);
  }
  const own = isRecord(config) ? config : {};
  // A list of [layer, node, tensor], or the only one of them.
  const given = own['output_layers'];
  const outputs = Array.isArray(given) ? (Array.isArray(given[0]) ? given : [given]) : [];
  return {
    name: String(own['name'] ?? ''),
    sequential: kind === 'Sequential',
    layers: layers.map((layer) => layerOf(layer, format)),
    outputs: outputs.map((output) => String((output as unknown[])[0])),
  };
}

function depthOf(value: unknown): number {
  let depth = 0;
  for (let level: unknown[] = [value]; level.length > 0 && depth <= DEEPEST; depth++) {
    level = level.flatMap((entry) => layersOf((entry as Record<string, unknown> | null)?.['config']) ?? []);
  }
  return depth;
}

function layerOf(value: unknown, format: string): Layer {
  if (!isRecord(value) || typeof value['class_name'] !== 'string') {
    throw new ModelFormatError(`${format}: a layer has no class_name: ${JSON.stringify(value)?.slice(0, 80)}.`);
  }
  const config = isRecord(value['config']) ? value['config'] : Array.isArray(value['config']) ? { layers: value['config'] } : {};
  const name = String(value['name'] ?? config['name'] ?? value['class_name']);
  const inbound = value['inbound_nodes'];
  return { kind: value['class_name'], name, config, inbound, number: numberIn(inbound) };
}

/** Keras 2: [[[layer, node, tensor, { y: 127.5 }]]]; Keras 3: [{ args: [tensor, 127.5] }]. */
function numberIn(inbound: unknown): number | undefined {
  const [call] = Array.isArray(inbound) ? inbound : [];
  const values = isRecord(call)
    ? [...(Array.isArray(call['args']) ? call['args'] : []), ...Object.values(isRecord(call['kwargs']) ? call['kwargs'] : {})]
    : Object.values((Array.isArray(call) && Array.isArray(call[0]) && isRecord(call[0][3]) && call[0][3]) || {});
  return values.find((value): value is number => typeof value === 'number');
}

/** Names of the layers that a layer reads. */
export function inboundOf({ name, inbound }: Layer, format: string): string[] {
  const calls = Array.isArray(inbound) ? inbound : [];
  if (calls.length > 1) throw new UnsupportedModelError(`${format}: layer "${name}" is used ${calls.length} times.`);
  const [call] = calls;
  if (isRecord(call)) return tensorsIn(call['args'], 0);
  const entries = Array.isArray(call) ? (Array.isArray(call[0]) ? call : [call]) : [];
  return entries.flatMap((entry: unknown[]) => [String(entry[0]), ...tensorNamesIn(entry[3])]);
}

/** Keras 2 keeps a function's second tensor among its arguments: { y: [layer, node, tensor] }. */
function tensorNamesIn(kwargs: unknown): string[] {
  if (!isRecord(kwargs)) return [];
  return Object.values(kwargs).flatMap((value) =>
    Array.isArray(value) && value.length === 3 && typeof value[0] === 'string' ? [value[0]] : [],
  );
}

/** Keras 3: tensors anywhere in the arguments, each with the layer that it comes from. */
function tensorsIn(value: unknown, depth: number): string[] {
  if (depth > DEEPEST) return [];
  if (Array.isArray(value)) return value.flatMap((entry) => tensorsIn(entry, depth + 1));
  if (!isRecord(value)) return [];
  const history = isRecord(value['config']) ? value['config']['keras_history'] : undefined;
  return Array.isArray(history) ? [String(history[0])] : [];
}

/** What Keras 3 calls each layer in a file of weights: its class in snake case, numbered where there are several. */
export function placesOf({ layers }: Model): string[] {
  const counts = new Map<string, number>();
  return layers.map(({ kind }) => {
    const base = kind
      .replace(/\W+/g, '')
      .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
      .replace(/([a-z])([A-Z])/g, '$1_$2')
      .toLowerCase();
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    return count === 0 ? base : `${base}_${count}`;
  });
}

type Sides = readonly [readonly [number, number], readonly [number, number]];

/** 1, [1, 2] or [[1, 2], [1, 2]]. */
export function sidesOf(padding: unknown, name: string, format: string): Sides {
  const pairs = Array.isArray(padding) ? padding : [padding, padding];
  const sides = pairs.map((pair) => (Array.isArray(pair) ? pair.map(Number) : [Number(pair), Number(pair)]));
  if (sides.length !== 2 || sides.some((pair) => pair.length !== 2)) {
    throw new ModelFormatError(`${format}: layer "${name}" has padding ${JSON.stringify(padding)}.`);
  }
  return sides as unknown as Sides;
}

/** Of the first layer that says it, through models inside of models. */
export function inputShapeOf(model: Model, format: string): readonly (number | null)[] {
  for (const { kind, config } of model.layers) {
    const shape = config['batch_input_shape'] ?? config['batch_shape'];
    if (Array.isArray(shape)) return shape;
    if (layersOf(config)) return inputShapeOf(modelOf({ class_name: kind, config }, format), format);
    if (kind !== 'InputLayer') break;
  }
  return [null, null, null, 3];
}
