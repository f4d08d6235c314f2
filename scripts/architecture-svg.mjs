// node scripts/architecture-svg.mjs > docs/architecture.svg
// The picture of docs/architecture.md: from a file to a kernel, top to bottom, 360 pixels wide.
const WIDTH = 360;
const GAP = 34;
const LINE = 17;

/** A box: the folder, what it does, and what goes to the next one. */
const BOXES = [
  { title: 'src/source/', lines: ['path, URL, Blob, hf:owner/name', 'and the files beside it'], gives: 'bytes' },
  {
    title: 'src/weights/',
    lines: ['one reader a format, told by the bytes;', 'names from src/architecture/'],
    gives: 'Network: nodes, weights, lanes',
  },
  { title: 'src/graph/', lines: ['nodes, shapes, what integers mean;', 'fusion of affines, activations, sums'], gives: 'Network, fused' },
  {
    title: 'src/runtime/session.ts',
    lines: ['picks a way by engine/machine.ts;', 'may change it after a race'],
    gives: 'Network and Arithmetics',
  },
  {
    title: 'src/compute/',
    lines: ['float32, or lanes in one way:', 'pairs, products, planes', '(packs filters, chooses kernels)'],
    gives: 'PackedNetwork',
  },
  {
    title: 'src/runtime/plan.ts',
    lines: ['for one input size: shapes, halos,', 'order, one arena for all tensors'],
    gives: 'program: instructions of 42 words',
  },
  {
    title: 'src/engine/',
    lines: ['one wasm instance: memory,', 'instructions, threads, binaries'],
    gives: 'execute(program, count, thread, threads)',
  },
  {
    title: 'assembly/index.ts',
    lines: ['a loop over instructions, one switch', 'over Kernel, a share for each thread'],
    gives: 'Arguments, from, to',
  },
  { title: 'assembly/ f32 · lanes', lines: ['and the ways: pairs · products · planes', 'SIMD kernels, rows of pixels in and out'] },
];

const escaped = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const parts = [];
let y = 8;
for (const { title, lines, gives } of BOXES) {
  const height = 30 + lines.length * LINE;
  parts.push(`<rect class="box" x="8" y="${y}" width="${WIDTH - 16}" height="${height}" rx="6"/>`);
  parts.push(`<text class="title" x="20" y="${y + 21}">${escaped(title)}</text>`);
  lines.forEach((line, i) => {
    parts.push(`<text x="20" y="${y + 39 + i * LINE}">${escaped(line)}</text>`);
  });
  y += height;
  if (!gives) continue;
  parts.push(`<path class="arrow" d="M26 ${y} v${GAP - 8}"/><path class="head" d="M21 ${y + GAP - 9} h10 l-5 8 z"/>`);
  parts.push(`<text class="gives" x="40" y="${y + 22}">${escaped(gives)}</text>`);
  y += GAP;
}
y += 8;
console.log(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="From a file to a kernel">
<style>
text { font: 14px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-family: ui-monospace, monospace }
.gives { font-style: italic; fill: #0550ae }
.box { fill: #f6f8fa; stroke: #8c959f }
.arrow { stroke: #0550ae; fill: none; stroke-width: 1.5 }
.head { fill: #0550ae }
</style>
<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>
${parts.join('\n')}
</svg>`);
