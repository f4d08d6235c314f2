// Tables of docs/ that a benchmark writes: what lies between two markers of a file.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;

const END = '<!-- to here -->';

/** Puts `text` between `<!-- COMMAND writes from here -->` and the next `<!-- to here -->` of docs/NAME. */
export function writeDocs(name, command, text) {
  const file = join(root, 'docs', name);
  const begin = `<!-- ${command} writes from here -->`;
  const docs = readFileSync(file, 'utf8');
  const start = docs.indexOf(begin);
  const end = docs.indexOf(END, start);
  if (start < 0 || end < 0) throw new Error(`${file} lacks its markers: ${begin} and ${END}`);
  writeFileSync(file, `${docs.slice(0, start + begin.length)}\n\n${text.trim()}\n\n${docs.slice(end)}`);
}

/** A table in Markdown: the first column to the left, `left` more of them too, the others to the right. */
export function markdownTable(head, rows, left = 0) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map((_, i) => (i <= left ? '---|' : '---:|')).join('')}`, ...rows.map(line)].join('\n');
}
