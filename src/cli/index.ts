#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { ImageError, ModelFormatError, OutOfMemoryError, UnsupportedModelError } from '../errors.js';
import { benchCommand } from './bench.js';
import { classifyCommand } from './classify.js';
import { compareCommand } from './compare.js';
import { convertCommand } from './convert.js';
import { downloadCommand } from './download.js';
import { embedCommand } from './embed.js';
import { evaluateCommand } from './evaluate.js';
import { inspectCommand } from './inspect.js';
import { paperCommand } from './paper.js';
import { quantizeCommand } from './quantize.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };

const program = new Command('mobilenet-v3')
  .description('MobileNetV3 on WebAssembly SIMD, float32 and int8')
  .version(version)
  .showHelpAfterError('(--help shows the options)')
  .addHelpText(
    'after',
    `
Every command has --help, with examples. Tables are drawn on a terminal; elsewhere, and with NO_COLOR, they are plain columns.

Exit codes:
  0    done
  1    failed, or done but for some pictures that could not be read
  2    a wrong command or option
  130  ended by Ctrl-C`,
  );
for (const command of [
  compareCommand,
  quantizeCommand,
  classifyCommand,
  embedCommand,
  evaluateCommand,
  inspectCommand,
  benchCommand,
  paperCommand,
  convertCommand,
  downloadCommand,
]) {
  program.addCommand(command().copyInheritedSettings(program));
}
for (const command of [program, ...program.commands]) command.exitOverride();

/** What to try next, where the message alone does not say it. */
function hintFor(error: unknown): string | undefined {
  if (error instanceof ModelFormatError)
    return 'mobilenet-v3 inspect FILE shows what a weights file holds; docs/weights.md lists what is read.';
  if (error instanceof UnsupportedModelError) return 'docs/weights.md lists the networks and the formats that are read.';
  if (error instanceof ImageError) return 'JPEG, PNG and WebP files are read; look whether the file opens elsewhere.';
  if (error instanceof OutOfMemoryError) return 'fewer --workers and --threads need less memory.';
  return (error as NodeJS.ErrnoException).cause instanceof Error && /ENOENT/.test(String((error as Error).cause))
    ? `paths are relative to ${process.cwd()}.`
    : undefined;
}

// Whoever reads, as head does, may have read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong. A wrong option is 2, a failed run 1; help and version are neither.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    const { message, stack } = error as Error;
    const expected = typeof (error as { code?: unknown }).code === 'string';
    process.stderr.write(`error: ${expected ? message : (stack ?? message)}\n`);
    const hint = expected
      ? hintFor(error)
      : 'this is a fault of the program, not of what you gave; please report it with the command that you ran.';
    if (hint) process.stderr.write(`hint: ${hint}\n`);
    process.exitCode = 1;
  }
}
