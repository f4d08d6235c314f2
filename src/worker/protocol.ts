import * as errors from '../errors.js';
import type { ModelFacts } from '../model/model.js';

/** What the page asks of the worker. Every call has a number, which all that belongs to it carries. */
export type Request =
  /** Answered by "ready": what a worker says unasked may come before anybody listens. */
  | { readonly kind: 'hello' }
  | { readonly kind: 'call'; readonly id: number; readonly model: number; readonly method: Method; readonly args: readonly unknown[] }
  /** The next calibration input, or that there is none or that the caller's iterator threw. */
  | { readonly kind: 'item'; readonly id: number; readonly item?: unknown; readonly end?: boolean }
  | { readonly kind: 'abort'; readonly id: number };

export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'value'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: PlainError }
  | { readonly kind: 'progress'; readonly id: number; readonly args: readonly number[] }
  | { readonly kind: 'pull'; readonly id: number }
  /** Asks for a thread of the pool: what it hears and says goes through the port. */
  | { readonly kind: 'thread'; readonly port: MessagePort };

export type ToThread = { readonly message: unknown } | { readonly end: true };
export type FromThread = { readonly message: unknown } | { readonly failed: true };

export type Method = 'load' | 'quantize' | 'predict' | 'classify' | 'embed' | 'logits' | 'preprocess' | 'profile' | 'dispose';

/** Every property that describes a model: what leaves one out does not compile. */
const FACTS: Readonly<Record<keyof ModelFacts, true>> = {
  architecture: true,
  precision: true,
  runtimeFeatures: true,
  inputSize: true,
  classes: true,
  labels: true,
  hasLabels: true,
  preprocessing: true,
  summary: true,
  memory: true,
  floatLayers: true,
};

export const factsOf = (model: ModelFacts): ModelFacts =>
  Object.fromEntries(Object.keys(FACTS).map((name) => [name, model[name as keyof ModelFacts]])) as unknown as ModelFacts;

/** What a worker answers to 'load' and 'quantize'. */
export interface Loaded {
  readonly id: number;
  readonly facts: ModelFacts;
  /** save() cannot wait for an answer. */
  readonly saved: Uint8Array;
}

export interface PlainError {
  readonly code?: string;
  readonly name: string;
  readonly message: string;
}

export function plainError(error: unknown): PlainError {
  const { code, name, message } = error as errors.MobileNetError;
  return { ...(typeof code === 'string' ? { code } : {}), name: name ?? 'Error', message: message ?? String(error) };
}

/** The error of the class that it had in the worker. */
export function revivedError({ code, name, message }: PlainError): Error {
  const error = code ? new errors.MobileNetError(code, message) : new Error(message);
  const original = Object.values(errors).find((candidate) => new candidate(message, message).code === code);
  if (original) Object.setPrototypeOf(error, original.prototype);
  return Object.assign(error, { name });
}
