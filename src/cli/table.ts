import Table from 'cli-table3';

type Cell = string | number;
export interface TextTable {
  push(row: readonly Cell[]): void;
  toString(): string;
}

/** Whether text may have lines drawn with characters: on a terminal, and where NO_COLOR (no-color.org) does not forbid it. */
export const mayDraw = (stream: { isTTY?: boolean } = process.stdout): boolean =>
  stream.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';

const EDGES = ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'];
const LINES = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'];
/** Columns with two spaces between them, and nothing drawn: for programs that read on. */
const PLAIN = {
  chars: { ...Object.fromEntries([...EDGES, ...LINES].map((name) => [name, ''])), middle: '  ' },
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
};

export interface TableOptions {
  /** The first column that is set to the right; 1 where it is left out. */
  readonly right?: number;
  /** No line between rows. */
  readonly compact?: boolean;
  /** Of the columns, in which text is broken into lines. */
  readonly widths?: readonly number[];
}

/** A table for people: drawn on a terminal, plain columns elsewhere, and never in colour. */
export function textTable(head: readonly string[], { right = 1, compact = false, widths }: TableOptions = {}): TextTable {
  const colAligns = head.map((_, i) => (i < right ? ('left' as const) : ('right' as const)));
  const drawn = mayDraw();
  const style = drawn ? { style: { head: [], border: [], compact } } : PLAIN;
  const table = new Table({ head: [...head], colAligns, ...style, ...(widths ? { colWidths: [...widths], wordWrap: true } : {}) });
  return {
    push: (row) => void table.push([...row]),
    // Columns that end a line leave no spaces behind.
    toString: () => (drawn ? table.toString() : table.toString().replace(/ +$/gm, '')),
  };
}
