import { NETWORKS } from './networks.js';
import { FLOAT } from './published.js';
import { type Lookup, millis, signed } from './result.js';
import { type Subject, TABLE_3 } from './subjects.js';

// The latency order of Table 3 here and on the paper's phones, and what makes the difference.

export const titleOf = ({ network, width }: Subject): string => `${NETWORKS[network].title} ${width.toFixed(2).replace(/0$/, '')}`;
const pixel1 = ({ network, width }: Subject): number => FLOAT[`${network} ${width}`]?.pixels?.[0] ?? 0;

/** Kinds of layers that make most of the difference between two networks. */
const TOLD = 3;

function explain(lookup: Lookup, slower: Subject, faster: Subject): string {
  const [a, b] = [lookup.get(slower).kinds, lookup.get(faster).kinds];
  const kinds = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const differences = kinds
    .map((kind) => [kind, (a[kind] ?? 0) - (b[kind] ?? 0)] as const)
    .sort(([, x], [, y]) => Math.abs(y) - Math.abs(x));
  const parts = differences.slice(0, TOLD).map(([kind, ms]) => `${kind} ${signed(ms)} ms`);
  const rest = differences.slice(TOLD).reduce((sum, [, ms]) => sum + ms, 0);
  if (differences.length > TOLD) parts.push(`all others ${signed(rest)} ms`);
  return (
    `${titleOf(slower)} is ${millis(lookup.ms(slower) - lookup.ms(faster))} ms slower than ${titleOf(faster)} here, and ` +
    `${millis(pixel1(faster) - pixel1(slower))} ms faster on a Pixel 1. By the profile: ${parts.join(', ')}.`
  );
}

export function orderNotes(lookup: Lookup): string[] {
  const by = (value: (subject: Subject) => number) => [...TABLE_3].sort((a, b) => value(a) - value(b));
  const [here, there] = [by((subject) => lookup.ms(subject)), by(pixel1)];
  const notes = [
    `From fast to slow here: ${here.map(titleOf).join(', ')}.`,
    `From fast to slow on a Pixel 1 by the paper: ${there.map(titleOf).join(', ')}.`,
  ];
  for (const [i, slower] of here.entries())
    for (const faster of here.slice(0, i)) if (pixel1(slower) < pixel1(faster)) notes.push(explain(lookup, slower, faster));
  if (notes.length === 2) notes.push('The two orders are the same.');
  return notes;
}
