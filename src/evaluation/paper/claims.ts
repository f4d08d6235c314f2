import { CLAIMS, FLOAT } from './published.js';
import { type Lookup, millis, type PaperTable, points, signed, times } from './result.js';
import { type Subject, subject, WIDTHS } from './subjects.js';

// What the paper's text says, put to the test here.

/** A difference of medians below this share of a run is none that can be told. */
const DISCERNIBLE = 0.02;

const int8 = (one: Subject): Subject => ({ ...one, precision: 'int8' });
const verdict = (holds: boolean) => (holds ? 'holds' : 'does not hold');

interface Saving {
  readonly ms: number;
  readonly share: number;
  readonly madds: number;
}

/** What `without` costs more than V3-Large. */
function saving(lookup: Lookup, without: Subject, reference = subject('large', { precision: without.precision })): Saving {
  const [more, less] = [lookup.get(without), lookup.get(reference)];
  const ms = more.milliseconds.median - less.milliseconds.median;
  return { ms, share: ms / more.milliseconds.median, madds: (more.madds - less.madds) / 1e6 };
}

const told = ({ ms, share }: Saving) => `${signed(ms)} ms, ${(100 * share).toFixed(1)} %`;

export function claims(lookup: Lookup): PaperTable {
  const rows: string[][] = [];
  const both = (one: Subject, reference?: (precision: 'float32' | 'int8') => Subject) =>
    [one, int8(one)].map((each) => saving(lookup, each, reference?.(each.precision))) as [Saving, Saving];

  const last = both(subject('large-old-last-stage'));
  rows.push([
    'The last stage behind the pool saves 11 % of the run, 7 ms, and 30 M MAdds.',
    `${told(last[0])} in float32, ${told(last[1])} in int8; ${last[0].madds.toFixed(1)} M MAdds`,
    verdict(last[0].share >= CLAIMS.lastStageShare * 0.75),
  ]);

  const stem = both(subject('large-stem32'));
  rows.push([
    '16 filters with h-swish in the stem instead of 32 with ReLU save 2 ms and 10 M MAdds (4 %).',
    `${told(stem[0])} in float32, ${told(stem[1])} in int8; ${stem[0].madds.toFixed(1)} M MAdds`,
    verdict(stem[0].share >= DISCERNIBLE),
  ]);

  const nonlinear = lookup.in('table5');
  const fused = (['float32', 'int8'] as const).map((precision) => saving(nonlinear, subject('large', { unfused: true, precision }))) as [
    Saving,
    Saving,
  ];
  rows.push([
    'An optimized h-swish saves 6 ms of 57.5 (11 %).',
    `in the convolution instead of a pass of its own: ${told(fused[0])} in float32, ${told(fused[1])} in int8`,
    verdict(fused[0].share >= DISCERNIBLE),
  ]);

  const squeeze = both(subject('large'), (precision) => subject('large-se-input', { precision }));
  const gates = both(subject('large'), (precision) => subject('large-no-se', { precision }));
  rows.push([
    'Squeeze-excite of a quarter of the expansion costs no discernible latency.',
    `against a quarter of the block's input: ${told(squeeze[0])} in float32, ${told(squeeze[1])} in int8; against none: ${told(gates[0])} and ${told(gates[1])}`,
    verdict(squeeze.every(({ share }) => share < DISCERNIBLE)),
  ]);

  rows.push(quantizedSpeed(lookup.in('table4')), swishSpeed(nonlinear), smallAgainstLarge(lookup.in('widths')));
  const swish = swishAccuracy(lookup);
  if (swish) rows.push(swish);
  return {
    title: 'What the text claims',
    head: ['the paper', 'here', 'verdict'],
    rows,
    notes: [`Shares are of the slower network's run. Less than ${100 * DISCERNIBLE} % is called no difference.`],
  };
}

function quantizedSpeed(lookup: Lookup): string[] {
  const speedup = (one: Subject) => lookup.ms(one) / lookup.ms(int8(one));
  const [large, small] = [speedup(subject('large')), speedup(subject('small'))];
  return [
    'int8 runs 1.16 to 1.44 times as fast as float in V3-Large and 1.02 to 1.35 times in V3-Small (Tables 3 and 4).',
    `${times(large)} times in V3-Large, ${times(small)} times in V3-Small`,
    large > 1.16 && small > 1.02 ? 'holds' : 'does not hold',
  ];
}

/** The first version of the paper: swish costs more where it is quantized. */
function swishSpeed(lookup: Lookup): string[] {
  const share = (precision: 'float32' | 'int8', unfused: boolean) =>
    lookup.ms(subject('large-swish', { precision })) / lookup.ms(subject('large', { precision, unfused })) - 1;
  const percent = (value: number) => `${signed(100 * value, 1)} %`;
  return [
    'h-swish is cheaper than swish; by the first version of the paper 15 % more efficient in quantized mode.',
    `swish instead of h-swish costs ${percent(share('float32', false))} in float32 and ${percent(share('int8', false))} in int8; against h-swish in a pass of its own ${percent(share('float32', true))} and ${percent(share('int8', true))}`,
    verdict(share('int8', false) > DISCERNIBLE),
  ];
}

function swishAccuracy(lookup: Lookup): string[] | undefined {
  const [hard, soft] = [lookup.trained('large'), lookup.trained('large-swish')];
  if (!hard || !soft) return undefined;
  const loss = (row: typeof hard, quantized: number) => `${points(row.float)} to ${points(quantized)} %`;
  const [lostHard, lostSoft] = [hard.float - hard.perTensor, soft.float - soft.perTensor];
  return [
    'Networks with h-swish lose less by quantization than those with swish (in one reading, 15 % of accuracy).',
    `8 bits and one scale a tensor: h-swish ${loss(hard, hard.perTensor)}, swish ${loss(soft, soft.perTensor)}; by this package's quantization: h-swish ${loss(hard, hard.int8)}, swish ${loss(soft, soft.int8)} (our small training)`,
    lostSoft - lostHard > 0.02 ? 'holds' : lostHard - lostSoft > 0.02 ? 'the other way round' : 'no difference to be told',
  ];
}

/** Figure 7: the width at which V3-Large is as fast as V3-Small. */
function smallAgainstLarge(lookup: Lookup): string[] {
  const small = lookup.ms(subject('small'));
  const at = (width: number) => lookup.ms(subject('large', { width }));
  const upper = WIDTHS.findIndex((width) => at(width) >= small);
  const [a, b] = [WIDTHS[upper - 1], WIDTHS[upper]];
  const width = a === undefined || b === undefined ? (WIDTHS[0] as number) : a + ((small - at(a)) / (at(b) - at(a))) * (b - a);
  const where =
    a === undefined
      ? `V3-Large 0.35 takes ${millis(at(0.35))} ms and V3-Small ${millis(small)} ms`
      : `V3-Large as fast as V3-Small (${millis(small)} ms) has width ${width.toFixed(2)}`;
  return [
    'V3-Small is nearly 3 % more accurate than V3-Large scaled down to its latency.',
    `${where}; which of them is the more accurate on ImageNet (${FLOAT['small 1']?.top1} % for V3-Small) needs networks trained there`,
    'not tested',
  ];
}
