import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { InputError } from '../errors.js';

/** Writes text to a file; '-' is standard output. */
export async function write(file: string, text: string | Uint8Array): Promise<void> {
  if (file === '-') {
    process.stdout.write(text);
    return;
  }
  try {
    await writeFile(file, text);
  } catch (cause) {
    throw new InputError(`${file} cannot be written: ${(cause as Error).message}.`, { cause });
  }
}

/** @throws InputError where two results would go to standard output, which then holds neither */
export function checkOutputs(files: Readonly<Record<string, string | undefined>>): void {
  const names = Object.keys(files).filter((name) => files[name] === '-');
  if (names.length > 1) throw new InputError(`--${names.join(' and --')} are both standard output; give a file for one of them.`);
}

export const writeJson = (file: string, value: unknown) => write(file, `${JSON.stringify(value, null, 2)}\n`);

/** Text for people; it makes way for JSON that goes to standard output. */
export function say(json: string | undefined, text: string): void {
  if (json !== '-') process.stdout.write(`${text}\n`);
}

/** For people too, without a place in the result. */
export const warn = (text: string) => process.stderr.write(`${text}\n`);

/** Nothing where the share is unknown. */
export const percent = (share: number) => (Number.isNaN(share) ? '' : `${(share * 100).toFixed(2)} %`);
export const milliseconds = (value: number) => `${value.toFixed(2)} ms`;
export const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;
export const millions = (count: number) => `${(count / 1e6).toFixed(1)} M`;

/** The processor and the engine, as results name them. */
export const machineName = (): string => `${cpus()[0]?.model.trim() ?? process.arch}, Node ${process.versions.node}`;
