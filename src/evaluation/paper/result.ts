import { InputError } from '../../errors.js';
import type { Measured } from './measure.js';
import type { NetworkKey } from './networks.js';
import { type GroupName, idOf, type Subject } from './subjects.js';

/** What a checkpoint that is at hand scores. Shares of the images. */
export interface Accuracy {
  readonly network: NetworkKey;
  readonly width: number;
  readonly images: number;
  readonly float: number;
  readonly int8: number;
  readonly agreement: number;
}

/** The ablation's networks, trained at equal cost on the repository's own pictures (training/ablate.py). Shares of the pictures. */
export interface Ablation {
  readonly date: string;
  readonly classes: number;
  readonly steps: number;
  readonly batch: number;
  readonly pictures: number;
  readonly rows: readonly AblationRow[];
}

export interface AblationRow {
  readonly network: NetworkKey;
  readonly float: number;
  /** By this package's default: int8 weights, 16-bit activations. */
  readonly int8: number;
  /** With 8-bit activations, one scale a tensor, as converters do it. */
  readonly perTensor: number;
}

export interface PaperResult {
  readonly date: string;
  /** Processor and engine. */
  readonly machine: string;
  readonly measured: readonly Measured[];
  readonly accuracies: readonly Accuracy[];
  readonly ablation?: Ablation;
}

/** A published value is printed in grey. */
export type Cell = string | { readonly published: string };

export interface PaperTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  readonly notes: readonly string[];
}

/** Finds what was measured in a group. */
export class Lookup {
  private readonly byId: ReadonlyMap<string, Measured>;

  constructor(
    readonly result: PaperResult,
    readonly group: GroupName,
  ) {
    this.byId = new Map(result.measured.filter((measured) => measured.group === group).map((measured) => [measured.id, measured]));
  }

  has(subject: Subject): boolean {
    return this.byId.has(idOf(subject));
  }

  get(subject: Subject): Measured {
    const found = this.byId.get(idOf(subject));
    if (!found) throw new InputError(`the result has no "${idOf(subject)}" in ${this.group}; measure it anew with this release.`);
    return found;
  }

  /** The same result's other group. */
  in(group: GroupName): Lookup {
    return new Lookup(this.result, group);
  }

  ms(subject: Subject): number {
    return this.get(subject).milliseconds.median;
  }

  accuracy(network: NetworkKey, width: number): Accuracy | undefined {
    return this.result.accuracies.find((row) => row.network === network && row.width === width);
  }

  trained(network: NetworkKey): AblationRow | undefined {
    return this.result.ablation?.rows.find((row) => row.network === network);
  }
}

export const grey = (value: number | string | undefined): Cell => ({ published: value === undefined ? '' : String(value) });
export const mega = (value: number): string => (value / 1e6).toFixed(value < 1e7 ? 2 : 1);
export const points = (share: number | undefined): string => (share === undefined ? '' : (100 * share).toFixed(1));
export const times = (value: number): string => value.toFixed(2);
/** Two digits behind the point below 10 ms. */
export const millis = (value: number): string => value.toFixed(value < 10 ? 2 : 1);
export const signed = (value: number, digits = 2): string => `${value > 0 ? '+' : ''}${value.toFixed(digits)}`;
