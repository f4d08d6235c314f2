// Writes docs/paper.md from committed results: bench/results/paper.json, blocks.json, and training/ablation.json.
//
//     npm run paper -- --json bench/results/paper.json
//     node dist/cli/index.js bench --table bench/results/blocks.json   (the repository keeps heldOut and how, not the shapes)
//     npm run fresh && node scripts/paper-docs.mjs
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { NETWORKS, paperMarkdown } from '../build/internals.js';

const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined);
const ablation = read('training/ablation.json');
const paper = { ...read('bench/results/paper.json'), ...(ablation ? { ablation } : {}) };
const blocks = read('bench/results/blocks.json');
const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;
const table = (head, rows) =>
  [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const intro = `# The MobileNetV3 paper, table by table

What of the paper ([arXiv 1905.02244](https://arxiv.org/abs/1905.02244)) was repeated here, and what came out. \`node scripts/paper-docs.mjs\`
writes this page from results that are in the repository. To measure them on your machine:

\`\`\`sh
npm run paper                            # every table below, in minutes and without a network
npm run paper -- --html paper.html       # a page with the plots
npx mobilenet-v3-wasm paper              # the same from the npm package, without our pictures and checkpoints
npm run page                             # the same on a phone: the page "Paper"
\`\`\`

Measured on ${paper.date}: ${paper.machine}. Values in *italics* are the paper's, on ImageNet and with TFLite on Pixel phones. They cannot be
compared with ours as numbers: compare their order, and what each idea changes.

- Networks have made-up weights, because weights do not change how long a network takes. Networks of one table take turns while they are timed.
- Widths other than 1 are as the authors' code has them: expansions are multiples of the rounded input, and the layer behind the pool does not shrink.
- MAdds and parameters are counted as torchvision and timm count them, batch norms with two parameters a channel.
- Accuracies of checkpoints for ImageNet: \`npx mobilenet-v3-wasm compare --paper --weights FILE --images DIR --calibration DIR\` prints them beside the
  paper's Table 4.
`;

function training() {
  if (!ablation) return '';
  const stageEnd = Number(/steps=(\d+)/.exec(readFileSync('training/ablate.py', 'utf8'))[1]);
  const order = ['large', 'large-relu', 'large-swish', 'large-no-se', 'v2', 'small', 'mnasnet-a1', 'large-old-last-stage'];
  const missing = order.filter((network) => !existsSync(`training/ablation-${network}.csv`));
  const trained = order.filter((network) => !missing.includes(network));
  const rows = trained.map((network) => {
    const row = ablation.rows.find((one) => one.network === network);
    // A network that has ended and whose integers are not measured yet: PyTorch's own top-1.
    const score = readFileSync(`training/ablation-${network}.csv`, 'utf8').trim().split('\n').at(-1).split(',')[4];
    return [NETWORKS[network].title, percent(row?.float ?? score), row ? percent(row.int8) : '', row ? percent(row.perTensor) : ''];
  });
  const absent = missing.length > 0 ? ` Not trained to the end: ${missing.map((name) => NETWORKS[name].title).join(', ')}.` : '';
  return `## Trained at equal cost

\`training/ablate.py\` trains networks of the paper on the same ${ablation.classes} classes of our own pictures, in the same order, for the same
${ablation.steps} steps of ${ablation.batch} pictures, from one seed, first on 64 and then on 112 px. Top-1 on ${ablation.pictures} held-out pictures (${ablation.date}).${absent}

${table(['network', 'float32', 'int8', '8 bits, one scale a tensor'], rows)}

![Training loss by step, a panel for each network](../training/ablation.svg)

**This is a very small experiment.** ${ablation.steps * ablation.batch} pictures are less than a thousandth of what the paper's networks saw, and one processor core trained
them. It shows which networks begin to learn quickly with these settings, and how much of what each has learnt quantization keeps. It
does not show which network is the most accurate in the end, and so it says nothing for or against the order of the paper's Figure 9: V3-Small
may well be ahead of V3-Large here because it is easier to train, and a network that starts slowly, as the one with ReLU did, may
overtake the others later. One seed each: differences of a few points mean nothing. The held-out pictures are judged once, at the
last step, so the curves are of the loss; it jumps at step ${stageEnd} where pictures become larger. Logs are \`training/ablation-*.csv\`.
`;
}

function netadapt() {
  if (!blocks) return '';
  const rows = blocks.heldOut.map(({ architecture, width, resolution, measured, estimated }) => [
    `${architecture} ${width}`,
    resolution,
    measured.toFixed(2),
    estimated.toFixed(2),
    percent(estimated / measured - 1),
  ]);
  const near = blocks.heldOut.filter(({ measured, estimated }) => Math.abs(estimated / measured - 1) <= 0.05).length;
  return `## NetAdapt's table

\`npx mobilenet-v3-wasm bench --table blocks.json\` measures the latency of every shape of layer and block on a machine, and
\`estimate(architecture, table, { width, resolution })\` adds them up for a network that need not exist, as NetAdapt does
([arXiv 1804.03230](https://arxiv.org/abs/1804.03230)). A layer whose shape the table lacks runs at the pace of the nearest shapes of its kind. Of a fully connected
layer, which reads each weight once, the multiply-adds of the whole network count as well: between two runs a longer one pushes more
of the weights out of the caches. The table below is of networks whose widths are not in it; ${near} of ${blocks.heldOut.length} estimates are within 5 % (${blocks.date},
${blocks.machine}, float32, one thread; ${blocks.how}).

${table(['network', 'pixels', 'measured, ms', 'estimated, ms', 'error'], rows)}
`;
}

writeFileSync('docs/paper.md', [intro, `${paperMarkdown(paper)}\n`, training(), netadapt()].filter(Boolean).join('\n'));
