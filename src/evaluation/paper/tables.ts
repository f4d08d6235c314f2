import { claims } from './claims.js';
import { countNotes } from './counts.js';
import { NETWORKS, type NetworkKey } from './networks.js';
import { orderNotes, titleOf } from './order.js';
import { FLOAT, INT8, NONLINEARITY } from './published.js';
import { type Cell, grey, Lookup, mega, millis, type PaperResult, type PaperTable, points, signed, times } from './result.js';
import {
  FIGURE_NETWORKS,
  type GroupName,
  IDEAS,
  RESOLUTIONS,
  ROAD,
  type Subject,
  subject,
  TABLE_3,
  TABLE_4_ROWS,
  TABLE_5,
  WIDTHS,
} from './subjects.js';

// What was measured, beside what the paper prints.

const int8 = (one: Subject): Subject => ({ ...one, precision: 'int8' });
const pixels = (values: readonly number[] | undefined): Cell[] => [0, 1, 2].map((i) => grey(values?.[i]));

function table3(lookup: Lookup): PaperTable {
  const rows = TABLE_3.map((one): Cell[] => {
    const { parameters, madds, milliseconds } = lookup.get(one);
    const published = FLOAT[`${one.network} ${one.width}`];
    const accuracy = lookup.accuracy(one.network, one.width);
    return [
      titleOf(one),
      mega(parameters),
      grey(published?.parameters?.toFixed(1)),
      mega(madds),
      grey(published?.madds),
      `${millis(milliseconds.median)} (${millis(milliseconds.p10)} to ${millis(milliseconds.p90)})`,
      times(madds / milliseconds.median / 1e6),
      points(accuracy?.float),
      grey(published?.top1),
      ...pixels(published?.pixels),
    ];
  });
  return {
    title: 'Table 3: float networks',
    head: ['network', 'params, M', 'paper', 'MAdds, M', 'paper', 'ms here', 'GMAC/s', 'top-1', 'paper', 'Pixel 1', 'Pixel 2', 'Pixel 3'],
    rows,
    notes: [...orderNotes(lookup), ...countNotes(lookup)],
  };
}

function table4(lookup: Lookup): PaperTable {
  const rows = TABLE_4_ROWS.map((one): Cell[] => {
    const key = `${one.network} ${one.width}`;
    const [float, quantized] = [lookup.ms(one), lookup.ms(int8(one))];
    const accuracy = lookup.accuracy(one.network, one.width);
    const speedups = [0, 1, 2].map((i) => {
      const [a, b] = [FLOAT[key]?.pixels?.[i], INT8[key]?.pixels?.[i]];
      return grey(a && b ? times(a / b) : undefined);
    });
    return [
      titleOf(one),
      millis(float),
      millis(quantized),
      times(float / quantized),
      ...speedups,
      points(accuracy?.float),
      points(accuracy?.int8),
      grey(FLOAT[key]?.top1),
      grey(INT8[key]?.top1),
    ];
  });
  const images = lookup.result.accuracies[0]?.images;
  return {
    title: 'Table 4: int8 against float32',
    head: ['network', 'float, ms', 'int8, ms', 'faster', 'Pixel 1', 'Pixel 2', 'Pixel 3', 'top-1', 'int8', "paper's", 'int8'],
    rows,
    notes: [
      images === undefined
        ? 'No checkpoint with labelled images was at hand: accuracies are left out.'
        : `Our accuracies are of ${images} images of the checkpoint's own classes, quantized after training; the paper's are of ImageNet, quantized in training. Compare the losses.`,
    ],
  };
}

const published5 = (network: NetworkKey) => NONLINEARITY[network as keyof typeof NONLINEARITY];
const name5 = (network: NetworkKey) => (network === 'large' ? 'h-swish from 80 channels: V3-Large' : NETWORKS[network].title);

function table5(lookup: Lookup): PaperTable {
  const rows = TABLE_5.map((network): Cell[] => {
    const one = subject(network);
    const unfused = published5(network) !== undefined && network !== 'large-relu';
    const trained = lookup.trained(network);
    return [
      name5(network),
      millis(lookup.ms(one)),
      unfused ? millis(lookup.ms({ ...one, unfused })) : '',
      millis(lookup.ms(int8(one))),
      unfused ? millis(lookup.ms({ ...int8(one), unfused })) : '',
      grey(published5(network)?.ms),
      grey(published5(network)?.unfused),
      points(trained?.float),
      points(trained?.int8),
      points(trained?.perTensor),
      grey(published5(network)?.top1),
    ];
  });
  return {
    title: 'Table 5: the nonlinearity of V3-Large',
    head: [
      'nonlinearity',
      'float, ms',
      'own pass',
      'int8, ms',
      'own pass',
      'Pixel 1',
      'not optimized',
      'top-1, ours',
      'int8',
      '8 bits a tensor',
      "paper's",
    ],
    rows,
    notes: [
      '"own pass": h-swish as a layer of its own instead of in the convolution, as the paper has it where it is not optimized. Swish always is one, with a true sigmoid.',
      ablationNote(lookup),
    ],
  };
}

const ablationNote = ({ result: { ablation } }: Lookup): string =>
  ablation
    ? `Our top-1: trained by us at equal cost, ${ablation.steps} steps of ${ablation.batch} pictures of ${ablation.classes} classes, on ${ablation.pictures} held-out pictures (${ablation.date}). One seed each, so differences of a point or two mean nothing.`
    : 'Our top-1 of networks trained at equal cost is in the repository, not in this package.';

function figure9(lookup: Lookup): PaperTable {
  const rowOf = (network: NetworkKey, before: NetworkKey | undefined): Cell[] => {
    const one = subject(network);
    const measured = lookup.get(one);
    const change = (value: (other: Subject) => number, text: (by: number) => string) =>
      before === undefined ? '' : text(value(one) - value(subject(before)));
    const trained = lookup.trained(network);
    return [
      NETWORKS[network].title,
      mega(measured.parameters),
      mega(measured.madds),
      change(
        (other) => lookup.get(other).madds,
        (by) => signed(by / 1e6, 1),
      ),
      millis(measured.milliseconds.median),
      change((other) => lookup.ms(other), signed),
      millis(lookup.ms(int8(one))),
      change((other) => lookup.ms(int8(other)), signed),
      points(trained?.float),
      points(trained?.int8),
    ];
  };
  return {
    title: 'Figure 9: from V2 to V3-Large, one idea at a time',
    head: ['network', 'params, M', 'MAdds, M', 'change', 'float, ms', 'change', 'int8, ms', 'change', 'top-1, ours', 'int8'],
    rows: [
      ...ROAD.map((network, i) => rowOf(network, ROAD[i - 1])),
      ...IDEAS.map((network) => rowOf(network, network === 'v2-se' ? 'v2' : 'large')),
    ],
    notes: [
      'The first rows are a road: each adds one idea, and its change is against the row above. The others change one thing in V3-Large (in V2 where it is named).',
      ablationNote(lookup),
    ],
  };
}

function figures(result: PaperResult): PaperTable {
  const [widths, resolutions] = [new Lookup(result, 'widths'), new Lookup(result, 'resolutions')];
  const line = (lookup: Lookup, one: Subject): Cell[] => [
    titleOf(one),
    String(one.resolution),
    mega(lookup.get(one).madds),
    millis(lookup.ms(one)),
    millis(lookup.ms(int8(one))),
    times(lookup.ms(one) / lookup.ms(int8(one))),
  ];
  return {
    title: 'Figures 1, 2 and 7: widths and resolutions',
    head: ['network', 'pixels', 'MAdds, M', 'float, ms', 'int8, ms', 'faster'],
    rows: FIGURE_NETWORKS.flatMap((network) => [
      ...WIDTHS.map((width) => line(widths, subject(network, { width }))),
      ...RESOLUTIONS.filter((resolution) => resolution !== 224).map((resolution) => line(resolutions, subject(network, { resolution }))),
    ]),
    notes: ["The figures' points are pictures in the paper, without numbers."],
  };
}

export function paperTables(result: PaperResult): PaperTable[] {
  const of = (group: GroupName) => new Lookup(result, group);
  const figure9Lookup = of('figure9');
  return [table3(of('table3')), table4(of('table4')), table5(of('table5')), figure9(figure9Lookup), figures(result), claims(figure9Lookup)];
}
