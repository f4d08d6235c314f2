import { ARCHITECTURES, type ArchitectureTable } from '../../architecture/tables.js';
import { summarize } from '../../graph/summary.js';
import { NETWORKS, withoutSe } from './networks.js';
import { titleOf } from './order.js';
import { ELSEWHERE, FLOAT } from './published.js';
import { type Lookup, mega } from './result.js';
import { type Subject, scaled, TABLE_3 } from './subjects.js';

// Where the counts of parameters and multiply-adds are not the paper's, and the number that says why.

/** The paper prints parameters in tenths of a million, multiply-adds in millions, and those of the smallest networks in tenths. */
const unitOf = (printed: number): number => (Number.isInteger(printed) ? 1 : 0.1);
const rounds = (ours: number, printed: number, unit: number): boolean => Math.abs(ours / 1e6 - printed) <= unit / 2 + 1e-9;
const truncates = (ours: number, printed: number, unit: number): boolean =>
  Math.floor(ours / 1e6 / unit + 1e-9) === Math.round(printed / unit);

/** Another form of a network, whose count may be the one that was printed. */
interface Form {
  readonly words: string;
  readonly table: ArchitectureTable;
}

/** V3-Small with a stride of 2 in its fifth block instead of the fourth. */
const halvedLater: ArchitectureTable = {
  ...ARCHITECTURES.mobilenet_v3_small,
  blocks: ARCHITECTURES.mobilenet_v3_small.blocks.map((block, i) => (i === 3 || i === 4 ? { ...block, stride: i === 3 ? 1 : 2 } : block)),
};
const LATER = 'with the stride of 2 in the fifth block instead of the fourth';

function formsOf({ network }: Subject): Form[] {
  const table: ArchitectureTable = NETWORKS[network].table;
  const forms: Form[] = [];
  if (table.features && table.features.out < 1280)
    forms.push({
      words: `with 1280 features behind the pool, where Table 2 has ${table.features.out}`,
      table: { ...table, features: { ...table.features, out: 1280 } },
    });
  if (network === 'small') forms.push({ words: LATER, table: halvedLater });
  if (network === 'small-minimalistic')
    forms.push({ words: `as V3-Small ${LATER}, without squeeze-excite but with its 5x5 kernels`, table: withoutSe(halvedLater) });
  return forms;
}

const countsOf = ({ network, width }: Subject, table: ArchitectureTable) => summarize(scaled(network, table, width));

function parametersNote(lookup: Lookup, subject: Subject, printed: number): string | undefined {
  const { parameters, foldedParameters } = lookup.get(subject);
  const [unit, elsewhere] = [0.1, ELSEWHERE[`${subject.network} ${subject.width}`]];
  if (rounds(parameters, printed, unit)) return undefined;
  const says = `${titleOf(subject)}: ${mega(parameters)} M parameters here, ${printed.toFixed(1)} M in the paper`;
  if (truncates(foldedParameters, printed, unit) || rounds(foldedParameters, printed, unit))
    return `${says}: with batch norms folded into the filters it is ${mega(foldedParameters)} M, of which the paper cuts off the rest.`;
  for (const { words, table } of formsOf(subject)) {
    const total = countsOf(subject, table).parameters;
    if (rounds(total, printed, unit) || truncates(total, printed, unit)) return `${says}: ${words}, it would be ${mega(total)} M.`;
  }
  if (elsewhere?.parameters && rounds(parameters, elsewhere.parameters, unit))
    return `${says}, ${elsewhere.parameters.toFixed(1)} M in ${elsewhere.where}.`;
  return `${says}: ${mega(Math.abs(parameters - printed * 1e6))} M ${parameters > printed * 1e6 ? 'more' : 'fewer'}.`;
}

/** Whether a form of a network has the paper's count at the other widths too. */
function atOtherWidths(lookup: Lookup, { network, width }: Subject, { table }: Form): string {
  const others = TABLE_3.filter((other) => other.network === network && other.width !== width);
  return others
    .map((other) => {
      const [madds, printed] = [countsOf(other, table).madds, FLOAT[`${network} ${other.width}`]?.madds ?? 0];
      if (rounds(madds, printed, unitOf(printed))) return '';
      return (
        ` At width ${other.width} the same would be ${mega(madds)} M, where the paper has ${printed} M and this count ${mega(lookup.get(other).madds)} M:` +
        " the paper's two rows seem to be of two networks."
      );
    })
    .join('');
}

function maddsNote(lookup: Lookup, subject: Subject, printed: number): string | undefined {
  const { madds } = lookup.get(subject);
  const [unit, elsewhere] = [unitOf(printed), ELSEWHERE[`${subject.network} ${subject.width}`]];
  if (rounds(madds, printed, unit)) return undefined;
  const says = `${titleOf(subject)}: ${mega(madds)} M MAdds here, ${printed} M in the paper`;
  if (truncates(madds, printed, unit)) return `${says}, which cuts off the rest.`;
  if (elsewhere && rounds(madds, elsewhere.madds, 1)) return `${says}, ${elsewhere.madds} M in ${elsewhere.where}.`;
  for (const form of formsOf(subject)) {
    const total = countsOf(subject, form.table).madds;
    if (rounds(total, printed, unit)) return `${says}: ${form.words}, it would be ${mega(total)} M.${atOtherWidths(lookup, subject, form)}`;
  }
  return `${says}: ${mega(Math.abs(madds - printed * 1e6))} M ${madds > printed * 1e6 ? 'more' : 'fewer'}.`;
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
