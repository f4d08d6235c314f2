import { createReadStream } from 'node:fs';
import { appendFile, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { InputError } from '../errors.js';
import { NpyFile } from './npy.js';
import { write } from './output.js';
import type { Answer } from './pictures.js';

/** Answers are written so many at a time, or after so long: what a killed run loses at most. */
const AT_ONCE = 64;
const MOST_MILLISECONDS = 1000;
const NEWLINE = 10;

/** What the records were made with; another run goes on with them only if it is the same. It is kept in OUTPUT.json. */
export type Origin = Readonly<Record<string, string | number | boolean>>;

/** Digits that tell a float32 from its neighbours. */
const digits = (value: number) => Number(value.toPrecision(9));

const lineOf = (answer: Answer, row?: number): string =>
  `${JSON.stringify('embedding' in answer ? { image: answer.image, ...(row === undefined ? { embedding: Array.from(answer.embedding, digits) } : { row }) } : answer)}\n`;

/** A line's picture, without parsing the numbers behind it. */
function imageOf(line: string): string | undefined {
  const name = /^\{"image":("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
  return name === undefined ? undefined : (JSON.parse(name) as string);
}

async function* completeLines(path: string): AsyncGenerator<{ text: string; end: number }> {
  let rest: Buffer = Buffer.alloc(0);
  let start = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    let from = 0;
    for (let at = rest.indexOf(NEWLINE); at >= 0; at = rest.indexOf(NEWLINE, from)) {
      yield { text: rest.toString('utf8', from, at), end: start + at + 1 };
      from = at + 1;
    }
    start += from;
    rest = rest.subarray(from);
  }
}

const sizeOf = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

/** What is known of each picture: a file of JSON Lines, beside a matrix of features if need be. A later run goes on with it. */
export class Records {
  /** Pictures whose records an earlier run has written. */
  readonly done = new Set<string>();
  private waiting: Answer[] = [];
  private written = Date.now();

  private constructor(
    private readonly lines: string,
    private readonly matrix: NpyFile | undefined,
  ) {}

  /**
   * @param output a .jsonl file, a .npy file (the lines are beside it then), or '-' for lines to standard output
   * @param columns features of a picture, for a .npy file
   * @throws InputError where an earlier run with other options has begun the file
   */
  static async open(output: string, origin: Origin, columns?: number): Promise<Records> {
    if (output === '-') return new Records(output, undefined);
    const isMatrix = output.endsWith('.npy');
    if (!isMatrix && !output.endsWith('.jsonl')) {
      const choices = columns === undefined ? '.jsonl' : '.npy or .jsonl';
      throw new InputError(`--output must end with ${choices}, or be - for standard output; got ${output}.`);
    }
    const lines = isMatrix ? output.replace(/npy$/, 'jsonl') : output;
    await settleOrigin(output, lines, origin);
    const records = new Records(lines, isMatrix ? await NpyFile.open(output, columns as number) : undefined);
    await records.resume();
    return records;
  }

  /** Takes one more; it is on the disk after flush() at the latest. */
  async add(answer: Answer): Promise<void> {
    this.waiting.push(answer);
    if (this.waiting.length >= AT_ONCE || Date.now() - this.written > MOST_MILLISECONDS) await this.flush();
  }

  async flush(): Promise<void> {
    const { waiting, matrix } = this;
    this.waiting = [];
    this.written = Date.now();
    if (waiting.length === 0) return;
    let row = matrix?.rows;
    // Rows first: a row without a line is dropped by the next run, a line without a row would be a lie.
    await matrix?.append(waiting.flatMap((answer) => ('embedding' in answer ? [answer.embedding] : [])));
    const text = waiting.map((answer) => lineOf(answer, row !== undefined && 'embedding' in answer ? row++ : undefined)).join('');
    if (this.lines === '-') await write('-', text);
    else await appendFile(this.lines, text);
  }

  async close(): Promise<void> {
    await this.flush();
    await this.matrix?.close();
  }

  /** Reads what is there, and drops what a killed run has left half written. */
  private async resume(): Promise<void> {
    let end = 0;
    let rows = 0;
    if ((await sizeOf(this.lines)) > 0) {
      for await (const line of completeLines(this.lines)) {
        const image = imageOf(line.text);
        if (image === undefined) throw new InputError(`${this.lines} holds a line without an image; name another output, or remove it.`);
        const hasRow = this.matrix !== undefined && /"row":\d+\}$/.test(line.text);
        if (hasRow && rows >= (this.matrix as NpyFile).rows) break;
        if (hasRow) rows++;
        this.done.add(image);
        end = line.end;
      }
      await truncate(this.lines, end);
    }
    await this.matrix?.keep(rows);
  }
}

async function settleOrigin(output: string, lines: string, origin: Origin): Promise<void> {
  const path = `${output}.json`;
  const begun = (await sizeOf(output)) + (await sizeOf(lines)) > 0;
  if (!begun) {
    await writeFile(path, `${JSON.stringify(origin, null, 2)}\n`).catch((cause) => {
      throw new InputError(`${path} cannot be written: ${(cause as Error).message}.`, { cause });
    });
    return;
  }
  const before = await readFile(path, 'utf8').then(JSON.parse, () => undefined);
  const names = [...new Set([...Object.keys(origin), ...Object.keys((before as object | undefined) ?? {})])];
  const differing = names.filter((name) => (before as Origin | undefined)?.[name] !== origin[name]);
  if (before !== undefined && differing.length === 0) return;
  const why = before === undefined ? `${path} does not tell how` : `with another ${differing.join(' and ')}`;
  throw new InputError(`${output} was begun before, ${why}; name another output, or remove ${output}.`);
}
