import { InvalidArgumentError, Option } from 'commander';
import type { LoadOptions } from '../model/model.js';

// Options that several commands share, and how their values are read.

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number above 0.');
  return value;
}

export const threadCount = (text: string): number | 'auto' => (text === 'auto' ? text : positiveInteger(text));

export const weightsOption = () =>
  new Option('-w, --weights <file>', 'weights: .safetensors, .pth, .onnx, .h5, .tflite, or hf:owner/repository').makeOptionMandatory();
export const precisionOption = () =>
  new Option('-p, --precision <precision>', 'what to run; without it a file runs as what it is').choices(['float32', 'int8']);
export const calibrationOption = () =>
  new Option('-c, --calibration <dir>', 'unlabelled images that int8 is calibrated on; 16 to 100 typical ones are enough');
export const seedOption = () =>
  new Option(
    '--seed <n>',
    'draw the calibration images by this seed where there are more than are used; without it they are evenly spread',
  ).argParser(positiveInteger);
export const jsonOption = (what = 'the result') =>
  new Option('--json <file>', `write ${what} as JSON; - is standard output, and nothing else`);
export const threadsOption = () => new Option('-t, --threads <n>', "threads, or 'auto'").argParser(threadCount).default(1);
export const simdOption = () => new Option('--simd <variant>', 'kernels to use').choices(['auto', 'baseline', 'relaxed']).default('auto');
export const listOption = () => new Option('--list <file>', 'a file of paths, one a line; - reads them from standard input');
export const workersOption = () =>
  new Option('--workers <n>', "threads that have a model each; 'auto' takes all cores for many images")
    .argParser(threadCount)
    .default('auto');

/** For .addHelpText('after', ...): commands that can be copied, each with what it does. */
export const examples = (...lines: readonly (readonly [what: string, command: string])[]): string =>
  `\nExamples:\n${lines.map(([what, command]) => `  # ${what}\n  $ ${command.includes(' | ') ? '' : 'mobilenet-v3 '}${command}`).join('\n')}`;

export type Common = Required<Pick<LoadOptions, 'threads' | 'simd'>>;

/** Of the commands that take any number of images. */
export interface Bulk extends Common {
  readonly weights: string;
  readonly precision?: 'float32' | 'int8';
  readonly calibration?: string;
  readonly list?: string;
  readonly workers: number | 'auto';
}
