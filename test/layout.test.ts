import { readdirSync, readFileSync } from 'node:fs';
import { join, normalize, relative } from 'node:path';

/** The house, from the ground up: a folder or a file of src/ imports from its own level and from those below, never from above. */
const LEVELS: readonly (readonly string[])[] = [
  ['errors', 'abort', 'inputs', 'binaries'],
  ['platform'],
  ['graph'],
  ['architecture'],
  ['engine'],
  ['compute', 'image'],
  ['runtime'],
  ['source'],
  ['weights'],
  ['quantization', 'tasks'],
  ['model'],
  ['kernels', 'worker', 'evaluation', 'transfer'],
  ['load'],
  ['index'],
  ['cli', 'standalone'],
];
/** Beside these, a level may not know all that lies below it. */
const NEVER: readonly (readonly [from: string, to: string])[] = [
  ['graph', 'platform'],
  ['engine', 'graph'],
  ['image', 'compute'],
  ['weights', 'runtime'],
  ['weights', 'engine'],
  ['quantization', 'weights'],
  ['runtime', 'architecture'],
];
const MOST_LINES = 300;

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesOf(path);
    return path.endsWith('.ts') ? [path] : [];
  });
const files = filesOf('src').filter((file) => !file.startsWith('src/binaries'));

/** What a file imports of src/, types and dynamic imports included. */
function importsOf(file: string): string[] {
  const found = [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+|#platform)'/g)];
  return found.map(([, path = '']) =>
    path === '#platform' ? 'src/platform/node.ts' : normalize(join(file, '..', path)).replace(/\.js$/, '.ts'),
  );
}

const roomOf = (file: string) => (relative('src', file).split('/')[0] as string).replace(/\.ts$/, '');
const levelOf = (file: string) => LEVELS.findIndex((rooms) => rooms.includes(roomOf(file)));

describe('the layout of src/', () => {
  it('has a level for every folder and file', () => {
    expect(files.filter((file) => levelOf(file) < 0)).toEqual([]);
  });

  it('imports nothing from above', () => {
    const upwards = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => levelOf(target) > levelOf(file))
        .map((target) => `${file} -> ${target}`),
    );
    expect(upwards).toEqual([]);
  });

  it('keeps rooms apart that have nothing to say to each other', () => {
    const forbidden = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => NEVER.some(([from, to]) => roomOf(file) === from && roomOf(target) === to))
        .map((target) => `${file} -> ${target}`),
    );
    expect(forbidden).toEqual([]);
  });

  it('has no circle of imports, types included', () => {
    const circles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      if (done.has(file) || path.includes(file)) return;
      for (const target of importsOf(file)) if (!target.startsWith('src/binaries')) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  it(`has no file above ${MOST_LINES} lines, in assembly/ neither`, () => {
    const long = [...files, ...filesOf('assembly')].filter((file) => readFileSync(file, 'utf8').split('\n').length > MOST_LINES);
    expect(long).toEqual([]);
  });

  it('publishes no member that is marked as internal', () => {
    expect(files.filter((file) => readFileSync(file, 'utf8').includes('@internal'))).toEqual([]);
  });
});
