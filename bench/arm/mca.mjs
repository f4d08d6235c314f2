// What a processor's model in LLVM says of blocks of machine code: cycles a run in a steady state, caches taken as perfect.
import { execFileSync } from 'node:child_process';

const ITERATIONS = 100;
const OPTIONS = { encoding: 'utf8', maxBuffer: 1 << 30, stdio: ['pipe', 'pipe', 'pipe'] };

/** @param blocks { bytes } @returns a text in assembler for each */
export function disassemble({ llvm, marker }, blocks) {
  const line = (bytes) => bytes.map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(' ');
  const input = blocks.map(({ bytes }) => `${line(bytes)}\n${line(marker.bytes)}\n`).join('');
  const output = execFileSync('llvm-mc-19', ['-disassemble', ...llvm], { ...OPTIONS, input });
  const texts = output.replace(/^\s*\.text$/m, '').split(marker.text);
  texts.pop();
  if (texts.length !== blocks.length) throw new Error(`llvm-mc gave ${texts.length} blocks of ${blocks.length}.`);
  return texts;
}

/** @returns cycles of one run of each block */
export function cycles({ llvm }, model, texts) {
  const input = texts.map((text) => `# LLVM-MCA-BEGIN\n${text}\n# LLVM-MCA-END\n`).join('');
  const views = ['-instruction-info=false', '-resource-pressure=false', '-skip-unsupported-instructions=lack-sched'];
  const options = [...llvm.map((option) => option.replace('-triple', '-mtriple')), `-mcpu=${model}`, `-iterations=${ITERATIONS}`];
  const output = execFileSync('llvm-mca-19', [...options, ...views], { ...OPTIONS, input });
  const found = [...output.matchAll(/^Total Cycles:\s+(\d+)$/gm)].map(([, total]) => Number(total) / ITERATIONS);
  if (found.length !== texts.length) throw new Error(`llvm-mca -mcpu=${model} gave ${found.length} blocks of ${texts.length}.`);
  return found;
}
