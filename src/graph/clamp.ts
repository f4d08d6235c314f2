import type { Activation, Curve, Node } from './graph.js';

/** clamp(alpha * x + beta, low, high): what every piecewise linear activation and every arithmetic with a number is. */
export interface Clamp {
  readonly alpha: number;
  readonly beta: number;
  readonly low: number;
  readonly high: number;
}

const LINE = { alpha: 1, beta: 0, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
const ACTIVATIONS: Readonly<Partial<Record<Activation | Curve, Clamp>>> = {
  none: LINE,
  relu: { ...LINE, low: 0 },
  relu6: { ...LINE, low: 0, high: 6 },
  hardSigmoid: { alpha: 1 / 6, beta: 0.5, low: 0, high: 1 },
};

/** Undefined for what is no piecewise linear function: h-swish, sigmoid, swish. */
export const clampOfActivation = (activation: Activation | Curve): Clamp | undefined => ACTIVATIONS[activation];

/** The function that a node of one input is; undefined where it is none of these. */
export function clampOf(node: Node): Clamp | undefined {
  if (node.kind === 'activation') return clampOfActivation(node.activation);
  if (node.kind !== 'affine') return undefined;
  const { alpha, beta, low = LINE.low, high = LINE.high } = node;
  return { alpha, beta, low, high };
}

/** outer(inner(x)), which is such a function again. */
export function compose(outer: Clamp, inner: Clamp): Clamp {
  const at = (x: number) =>
    Math.min(Math.max(Number.isFinite(x) || outer.alpha !== 0 ? outer.alpha * x + outer.beta : outer.beta, outer.low), outer.high);
  const [a, b] = [at(inner.low), at(inner.high)];
  return { alpha: outer.alpha * inner.alpha, beta: outer.alpha * inner.beta + outer.beta, low: Math.min(a, b), high: Math.max(a, b) };
}

/** Of a slope or an offset: float32's rounding of a sixth is no other slope. */
const ROUNDING = 1e-5;
export const near = (a: number, b: number, tolerance = ROUNDING): boolean => Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));

export const isLine = ({ low, high }: Clamp): boolean => low === LINE.low && high === LINE.high;
export const isIdentity = (f: Clamp): boolean => isLine(f) && near(f.alpha, 1) && near(f.beta, 0);

/** Of a 6 or a 1 that was quantized: as near as 8 bits come. */
const QUANTIZED = 0.01;

/** The activation that clamps to [low, high], and what it wants its input to be: z = scale * x + offset. */
export function activationFor({ alpha, beta, low, high }: Clamp): { activation: Activation; scale: number; offset: number } | undefined {
  const snapped = (activation: Activation, scale: number, offset: number) => ({
    activation,
    scale: near(scale, 1) ? 1 : scale,
    offset: near(offset, 0) ? 0 : offset,
  });
  if (low === LINE.low && high === LINE.high) return snapped('none', alpha, beta);
  if (low !== 0) return undefined;
  if (high === LINE.high) return snapped('relu', alpha, beta);
  if (near(high, 6, QUANTIZED)) return snapped('relu6', alpha, beta);
  return near(high, 1, QUANTIZED) ? snapped('hardSigmoid', 6 * alpha, 6 * beta - 3) : undefined;
}

export function nodeOf(f: Clamp): { kind: 'affine'; alpha: number; beta: number; low?: number; high?: number } {
  const { alpha, beta, low, high } = f;
  return { kind: 'affine', alpha, beta, ...(low === LINE.low ? {} : { low }), ...(high === LINE.high ? {} : { high }) };
}
