import type { Preprocessing } from '../../graph/network.js';
import { linesOf } from '../metadata.js';
import { readStoredZip } from '../torch/zip.js';
import { FlatBuffer, type Table } from './flatbuffer.js';

// TensorFlow Lite's metadata_schema.fbs: how the image is normalised, and files that are appended to the model as a zip archive.

const NORMALIZATION = 1;
const AXIS_LABELS = 2;

export interface TfliteMetadata {
  readonly normalization?: Pick<Preprocessing, 'mean' | 'std'>;
  /** Lists of names, the likeliest first. */
  readonly labels: readonly (readonly string[])[];
}

/** @param buffer the metadata, a FlatBuffer of its own; damaged metadata says nothing */
export function readMetadata(buffer: Uint8Array | undefined, file: Uint8Array): TfliteMetadata {
  try {
    const subgraph = buffer && new FlatBuffer(buffer).root().tables(3)[0];
    const normalization = subgraph && normalizationOf(subgraph.tables(2)[0]);
    return { ...(normalization ? { normalization } : {}), labels: labelsOf(subgraph, file) };
  } catch {
    return { labels: [] };
  }
}

/** (value - mean) / std of values from 0 to 255, one number for all channels or one for each. */
function normalizationOf(input: Table | undefined): TfliteMetadata['normalization'] {
  const options = input
    ?.tables(4)
    .filter((unit) => unit.u8(0) === NORMALIZATION)
    .map((unit) => unit.table(1))[0];
  const [means, stds] = [options?.f32s(0) ?? [], options?.f32s(1) ?? []];
  const triple = (values: readonly number[]) => [0, 1, 2].map((c) => (values[values.length === 1 ? 0 : c] ?? Number.NaN) / 255);
  const [mean, std] = [triple(means), triple(stds)] as unknown as [[number, number, number], [number, number, number]];
  return mean.every(Number.isFinite) && std.every((s) => s > 0) ? { mean, std } : undefined;
}

function labelsOf(subgraph: Table | undefined, file: Uint8Array): string[][] {
  const named = (subgraph?.tables(3) ?? []).flatMap((output) => output.tables(6)).filter((associated) => associated.i8(2) === AXIS_LABELS);
  // In English where there are several languages.
  const names = named.sort((a, b) => Number(b.string(3) === 'en') - Number(a.string(3) === 'en')).map((associated) => associated.string(0));
  const entries = readStoredZip(file);
  const others = [...entries.keys()].filter((name) => name.endsWith('.txt') && !names.includes(name));
  return [...names, ...others].flatMap((name) => {
    const text = entries.get(name);
    return text ? [linesOf(new TextDecoder().decode(text))] : [];
  });
}
