// How often each basic block of WebAssembly's code runs in one inference. The emulator writes a block's instructions when it meets
// it, and a line whenever it runs; infer.mjs writes a mark into the same log before and behind the inference that counts.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { functionsOf } from './kernels.mjs';
import { nodeOf } from './machines.mjs';

export const SCRIPT = fileURLToPath(new URL('infer.mjs', import.meta.url));
/** V8's optimizing tier from the start, placed alike in every run; `lazy` compiles only what is called, for large binaries. */
const FLAGS = ['--random-seed=1', '--single-threaded', '--no-liftoff', '--no-wasm-dynamic-tiering', '--no-warnings'];
const EAGER = '--no-wasm-lazy-compilation';
/** The last is counted: the one before may set things up. */
const INFERENCES = 2;
/** Of the instructions counted: more of them outside of any function means that the code was placed elsewhere. */
const STRAY = 0.01;

export const nodeFlags = ({ flags }, { engine }) => [...FLAGS, ...flags, ...(engine === 'ours' ? [EAGER] : [])];

/** Runs inferences under the emulator; `onError` gets what comes on stderr. @returns its stdout */
function emulate(machine, row, emulation, flags, onError) {
  const node = [nodeOf(machine), ...nodeFlags(machine, row), ...flags, SCRIPT, JSON.stringify(row), String(INFERENCES)];
  const child = spawn(`/usr/bin/${machine.emulator}`, ['-cpu', 'max', ...emulation, ...node], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...machine.environment },
  });
  const output = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', onError);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(output).toString());
      else reject(new Error(`${machine.emulator} ended with ${code}.`));
    });
  });
}

/** @returns functions { index, start, end } of V8's code, and what infer.mjs says: { logits, wasm } or { skipped } */
async function compiled(machine, row) {
  let errors = '';
  const output = await emulate(machine, row, [], ['--print-wasm-code'], (chunk) => {
    errors += chunk;
  }).catch((error) => {
    throw new Error(`${error.message}\n${errors.slice(-2000)}`);
  });
  const functions = [];
  for (const part of output.split('--- WebAssembly code ---').slice(1)) {
    const [, size, address] = /^Instructions \(size = (\d+)\)\n0x([0-9a-f]+)/m.exec(part);
    const start = Number.parseInt(address, 16);
    functions.push({ index: Number(/^index: (\d+)/m.exec(part)[1]), start, end: start + Number(size) });
  }
  return { functions, said: JSON.parse(output.trim().split('\n').at(-1)) };
}

const NEWLINE = 10;
const SLASH = 47;
const T = 84;

/**
 * Reads the emulator's log as it comes: blocks by their address, each { bytes, instructions, index, runs }. `index` is that of the
 * block's function, `runs` how often it ran for which kernel, by the kernel's index: a helper runs for the one that ran last.
 */
class Log {
  blocks = new Map();
  rest = Buffer.alloc(0);
  block = undefined;
  kernel = undefined;
  isCounting = false;

  /** @param functionAt the function { index, isHelper } at an address; undefined where there is none */
  constructor(functionAt) {
    this.functionAt = functionAt;
  }

  read = (chunk) => {
    const text = this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    let at = 0;
    for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, at)) {
      if (text[at] === T) this.run(text, at);
      else this.line(text.latin1Slice(at, end));
      at = end + 1;
    }
    this.rest = text.subarray(at);
  };

  /** Trace 0: 0x7f6db03fad80 [0000000001009b31/00000021c5c5f0e0/00000001/00080200] */
  run(text, at) {
    if (!this.isCounting) return;
    let address = 0;
    for (let i = text.indexOf(SLASH, at) + 1; text[i] !== SLASH; i++) {
      const digit = text[i] - 48;
      address = address * 16 + (digit > 9 ? digit - 39 : digit);
    }
    const block = this.blocks.get(address);
    if (!block) return;
    if (block.isKernel) this.kernel = block.index;
    block.runs.set(this.kernel, (block.runs.get(this.kernel) ?? 0) + 1);
  }

  /** 0x21c5c5f0e0:  d2800110  movz x16, #8 on arm64, a word; 0x3fa1c5c5fa41:  48 89 e5  movq %rsp, %rbp on x64, maybe on two lines */
  line(line) {
    if (line === 'MARK') this.isCounting = !this.isCounting;
    if (line.startsWith('IN:')) this.block = undefined;
    const match = /^0x([0-9a-f]+): {2}(?:([0-9a-f]{8})(?= )|((?:[0-9a-f]{2}(?: |$))+))(.*)$/.exec(line);
    if (!match) return;
    const [, address, word, bytes, text] = match;
    if (!this.block) {
      const start = Number.parseInt(address, 16);
      const owner = this.functionAt(start);
      // The emulator may forget a block and meet it again.
      const runs = this.blocks.get(start)?.runs ?? new Map();
      this.block = { index: owner?.index, isKernel: owner?.isHelper === false, bytes: [], instructions: 0, runs };
      this.blocks.set(start, this.block);
    }
    this.block.bytes.push(...(word ? Buffer.from(word, 'hex').reverse() : Buffer.from(bytes.replaceAll(' ', ''), 'hex')));
    if (text.trim() !== '') this.block.instructions++;
  }
}

/**
 * One inference of a row on a machine.
 *
 * @returns { skipped }, or { blocks, names }: blocks { bytes, instructions, count, index, kernel }, where `index` is that of the
 *   function and `kernel` that of the kernel for which it ran; functions' names by index, as far as they are known
 */
export async function count(machine, row, progress) {
  progress('compile');
  const { functions, said } = await compiled(machine, row);
  if (said.skipped) return { skipped: said.skipped };
  progress('count');
  const known = functionsOf(said.wasm);
  for (const each of functions) each.isHelper = known[each.index]?.isHelper ?? false;
  const [start, end] = [Math.min(...functions.map((each) => each.start)), Math.max(...functions.map((each) => each.end))];
  const log = new Log((address) => functions.find((each) => address >= each.start && address < each.end));
  const range = `0x${start.toString(16)}..0x${(end - 1).toString(16)}`;
  await emulate(machine, row, ['-d', 'in_asm,exec,nochain', '-dfilter', range], [], log.read);
  const blocks = [...log.blocks.values()].flatMap(({ runs, ...block }) =>
    [...runs].map(([kernel, count]) => ({ ...block, kernel, count })),
  );
  const instructions = (some) => some.reduce((sum, block) => sum + block.count * block.instructions, 0);
  const inside = blocks.filter(({ index }) => index !== undefined);
  const stray = 1 - instructions(inside) / instructions(blocks);
  if (!(stray <= STRAY)) throw new Error(`${(100 * stray).toFixed(1)} % of what ran lies in no function that V8 printed.`);
  return { blocks: inside, names: known.map(({ name }) => name) };
}
