import { summarize } from '../../graph/summary.js';
import { NETWORKS } from './networks.js';
import { titleOf } from './order.js';
import { FLOAT } from './published.js';
import { type Lookup, mega, signed } from './result.js';
import { graphOf, type Subject, scaled, TABLE_3 } from './subjects.js';

// Where the counts of parameters and multiply-adds are not the paper's, and the number that says why.

/** The paper prints two digits of most counts. */
const rounds = (ours: number, printed: number): boolean => {
  const digits = String(printed).split('.')[1]?.length ?? 0;
  const unit = 10 ** -digits;
  return Math.abs(ours / 1e6 - printed) <= unit / 2 + 1e-9;
};
const truncates = (ours: number, printed: number): boolean => {
  const digits = String(printed).split('.')[1]?.length ?? 0;
  return Math.floor((ours / 1e6) * 10 ** digits) === Math.round(printed * 10 ** digits);
};

/** Multiplications of the elementwise layers, which torchvision's and timm's counts leave out. */
function elementwise(subject: Subject): number {
  return summarize(graphOf(subject)).layers.reduce(
    (sum, { kind, output }) => sum + (kind === 'multiply' || kind === 'globalAveragePool' ? 1 : 0) * output[0] * output[1] * output[2],
    0,
  );
}

function parametersNote(lookup: Lookup, subject: Subject, printed: number): string | undefined {
  const { parameters, foldedParameters } = lookup.get(subject);
  if (rounds(parameters, printed)) return undefined;
  const title = `${titleOf(subject)}: ${mega(parameters)} M parameters here, ${printed} M in the paper`;
  if (truncates(foldedParameters, printed) || rounds(foldedParameters, printed))
    return `${title}: with batch norms folded into the filters it is ${mega(foldedParameters)} M, of which the paper cuts off the rest.`;
  const { table } = NETWORKS[subject.network];
  if ('features' in table && table.features) {
    const wide = { ...table, features: { ...table.features, out: 1280 } };
    const total = summarize(scaled(subject.network, wide, subject.width)).parameters;
    if (rounds(total, printed) || truncates(total, printed))
      return `${title}: with 1280 features behind the pool, where Table 2 has ${table.features.out}, it would be ${mega(total)} M.`;
  }
  return `${title}: ${mega(Math.abs(parameters - printed * 1e6))} M ${parameters > printed * 1e6 ? 'more' : 'fewer'}.`;
}

function maddsNote(lookup: Lookup, subject: Subject, printed: number): string | undefined {
  const { madds } = lookup.get(subject);
  if (rounds(madds, printed)) return undefined;
  const narrower = { ...subject, width: 0.75 };
  const other = FLOAT[`${subject.network} 0.75`]?.madds;
  if (subject.network === 'small' && subject.width === 1 && other !== undefined)
    return (
      `${titleOf(subject)}: ${mega(madds)} M MAdds here, ${printed} M in the paper (${signed((100 * (madds - printed * 1e6)) / printed / 1e6, 1)} %). ` +
      `The same count gives ${mega(lookup.get(narrower).madds)} M at width 0.75, where the paper has ${other} M: its 66 M are of another network than Table 2's.`
    );
  const extra = elementwise(subject);
  const difference = madds - printed * 1e6;
  const share = `${((100 * difference) / printed / 1e6).toFixed(1)} %`;
  return (
    `${titleOf(subject)}: ${mega(madds)} M MAdds here, ${printed} M in the paper (${share}); ` +
    `the products and means of squeeze-excite and the pool, which this count and timm's leave out, are ${mega(extra)} M.`
  );
}

export function countNotes(lookup: Lookup): string[] {
  return TABLE_3.flatMap((subject) => {
    const published = FLOAT[`${subject.network} ${subject.width}`];
    const notes = [
      published?.parameters === undefined ? undefined : parametersNote(lookup, subject, published.parameters),
      published?.madds === undefined ? undefined : maddsNote(lookup, subject, published.madds),
    ];
    return notes.filter((note) => note !== undefined);
  });
}
