import { ModelFormatError } from '../errors.js';
import type { Preprocessing } from '../graph/network.js';

// What a safetensors header's metadata may say besides the tensors, checked before it is believed.

export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ModelFormatError(`the file's ${what} is no JSON.`, { cause });
  }
}

/** A JSON list of one string a class. */
export function readLabels(text: string | undefined, classes: number): string[] | undefined {
  if (text === undefined) return undefined;
  const labels = parseJson(text, 'list of labels');
  if (!Array.isArray(labels) || labels.length !== classes || !labels.every((label) => typeof label === 'string')) {
    throw new ModelFormatError(`the file's labels are to be ${classes} strings, one a class.`);
  }
  return labels;
}

const isTriple = (value: unknown): value is [number, number, number] =>
  Array.isArray(value) && value.length === 3 && value.every((entry) => Number.isFinite(entry));

/** @throws ModelFormatError where a field is missing or out of range */
export function checkPreprocessing(value: unknown): Preprocessing {
  const { mean, std, crop, interpolation } = (value ?? {}) as Record<string, unknown>;
  const sound =
    isTriple(mean) &&
    isTriple(std) &&
    std.every((s) => s > 0) &&
    typeof crop === 'number' &&
    crop > 0.1 &&
    crop <= 1 &&
    (interpolation === 'bilinear' || interpolation === 'bicubic');
  if (!sound) {
    throw new ModelFormatError(
      "preprocessing is { mean, std: three numbers each, crop: above 0.1 and up to 1, interpolation: 'bilinear' or 'bicubic' }.",
    );
  }
  return { mean, std, crop, interpolation };
}

export function readPreprocessing(text: string | undefined): Preprocessing | undefined {
  return text === undefined ? undefined : checkPreprocessing(parseJson(text, 'preprocessing'));
}

/** TensorFlow's: pixels in [-1, 1]. */
export const SLIM_PREPROCESSING: Preprocessing = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], crop: 0.875, interpolation: 'bilinear' };

/** What Teachable Machine's metadata.json says: the names of the classes. */
export function readTeachable(text: string): { readonly labels?: readonly string[] } {
  const { labels } = (parseJson(text, 'metadata.json') ?? {}) as Record<string, unknown>;
  return Array.isArray(labels) && labels.every((label) => typeof label === 'string') ? { labels } : {};
}

/** The lines of a list of labels, and what Teachable Machine puts before them taken away: "0 dog", "1 cat". */
export function linesOf(text: string): string[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .replace(/\s+$/, '')
    .split(/\r?\n/);
  const numbered = lines.every((line, i) => line.startsWith(`${i} `));
  return numbered ? lines.map((line) => line.slice(line.indexOf(' ') + 1)) : lines;
}
