#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
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
  .showHelpAfterError('(--help shows the options)');
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

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong. A wrong option is 2, a failed run 1; help and version are neither.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    const { message, stack } = error as Error;
    const ours = typeof (error as { code?: unknown }).code === 'string';
    process.stderr.write(`error: ${ours ? message : (stack ?? message)}\n`);
    process.exitCode = 1;
  }
}
