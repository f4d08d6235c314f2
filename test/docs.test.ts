import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

// What README.md and docs/ name exists: files, scripts, and options of the command line.

const MOST_WORDS = 900;
/** Commander's own. */
const ALWAYS = ['--help', '--version'];

const PAGES = ['README.md', ...readdirSync('docs').map((name) => join('docs', name))].filter((name) => name.endsWith('.md'));
const textOf = (page: string) => readFileSync(page, 'utf8');
const withoutBlocks = (text: string) => text.replace(/^```[\s\S]*?^```.*$/gm, '');
const COMMENT = / #.*| \/\/.*/;

/** The lines of code blocks, and what stands between backquotes. */
function codeOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```.*\n([\s\S]*?)^```/gm)].flatMap(([, block = '']) => block.split('\n'));
  const spans = [...withoutBlocks(text).matchAll(/`([^`]+)`/g)].map(([, span = '']) => span.replace(/\s+/g, ' '));
  return [...blocks.map((line) => line.replace(COMMENT, '')), ...spans];
}

const optionsIn = (code: string) => [...code.matchAll(/(?<![\w-])--[a-z][\w-]*/g)].map(([option]) => option);

/** The options of each command, read in its source: its own, and those of options.ts that it calls for. */
function commandLine(): Map<string, Set<string>> {
  const declared = (source: string) => [...source.matchAll(/[oO]ption\(\s*'([^']+)'/g)].flatMap(([, flags = '']) => optionsIn(flags));
  const shared = new Map(
    [...textOf('src/cli/options.ts').matchAll(/export const (\w+Option) = ([\s\S]*?);\n/g)].map(([, name, body = '']) => [
      name,
      declared(body),
    ]),
  );
  const commands = new Map<string, Set<string>>();
  for (const file of readdirSync('src/cli')) {
    const source = textOf(join('src/cli', file));
    const name = /new Command\('(\w+)'\)/.exec(source)?.[1];
    if (!name || !file.startsWith(name)) continue;
    const called = [...source.matchAll(/addOption\((\w+Option)\(/g)].flatMap(([, option]) => shared.get(option) ?? []);
    commands.set(name, new Set([...ALWAYS, ...declared(source), ...called]));
  }
  return commands;
}

const SCRIPTS = (JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }).scripts;
const COMMANDS = commandLine();

/** A folder's sources, of which an option that is no command's must be a word. */
const sourcesOf = (folder: string): string =>
  readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules')
    .map((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return sourcesOf(path);
      return /\.(mjs|ts)$/.test(path) ? textOf(path) : '';
    })
    .join('\n');

/** Options that code names and that are not there: those of the command that it names, or else of any command or script. */
function missingOptions(code: string, everywhere: ReadonlySet<string>): string[] {
  const script = /npm run ([\w:]+) -- /.exec(code)?.[1];
  const command = script ?? (/mobilenet-v3(?:-wasm)? (\w+)/.exec(code) ?? /^(\w+)/.exec(code))?.[1] ?? '';
  const known = COMMANDS.get(command);
  if (known) return optionsIn(code).filter((option) => !known.has(option));
  if (script || /^--/.test(code)) return optionsIn(code).filter((option) => !everywhere.has(option));
  return []; // another program's
}

describe('README.md', () => {
  it('has the tables that the committed results make', async () => {
    const { readmeTable } = (await import(join(process.cwd(), 'bench/readme.mjs'))) as { readmeTable(): string };
    const { tables } = (await import(join(process.cwd(), 'bench/compare.mjs'))) as { tables(): Record<'short' | 'long', string> };
    const { short, long } = tables();
    expect(textOf('README.md')).toContain(`\n${readmeTable()}\n`);
    expect(textOf('README.md')).toContain(`\n${short}\n`);
    expect(textOf('docs/performance.md')).toContain(`\n${long}\n`);
  });

  it(`has at most ${MOST_WORDS} words beside its code`, () => {
    expect(withoutBlocks(textOf('README.md')).split(/\s+/).filter(Boolean).length).toBeLessThanOrEqual(MOST_WORDS);
  });
});

describe.each(PAGES)('%s', (page) => {
  const text = textOf(page);

  it('links to files that exist', () => {
    const links = [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link.replace(/#.*/, ''));
    expect(links.filter((link) => link !== '' && !/^[a-z]+:/.test(link) && !existsSync(join(dirname(page), link)))).toEqual([]);
  });

  it('names scripts that exist', () => {
    const named = [...text.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !(name in SCRIPTS))).toEqual([]);
  });

  it('names options that exist', () => {
    const everywhere = new Set([...COMMANDS.values()].flatMap((options) => [...options]));
    for (const option of optionsIn(['bench', 'scripts'].map(sourcesOf).join('\n'))) everywhere.add(option);
    expect(codeOf(text).flatMap((code) => missingOptions(code, everywhere))).toEqual([]);
  });
});

describe("the command line's options, as these tests read them", () => {
  it('are known for every command', () => {
    expect([...COMMANDS.keys()].sort()).toEqual([
      'bench',
      'classify',
      'compare',
      'convert',
      'download',
      'embed',
      'evaluate',
      'inspect',
      'paper',
      'quantize',
    ]);
    expect(COMMANDS.get('bench')).toEqual(
      new Set([...ALWAYS, '--weights', '--precision', '--calibration', '--runs', '--table', '--json', '--threads', '--simd']),
    );
  });

  it('are missed where a page makes one up', () => {
    const missing = (code: string) => missingOptions(code, new Set(['--jobs']));
    expect(missing('npx mobilenet-v3-wasm quantize --weights FILE --runs 3')).toEqual(['--runs']);
    expect(missing('npm run compare -- --ladder --jobs 2')).toEqual(['--jobs']);
    expect(missing('npm run bench:arm -- --jobs 2 --cores')).toEqual(['--cores']);
    expect(missing('--made-up FILE')).toEqual(['--made-up']);
    expect(missing('python3 render.py --count 5')).toEqual([]);
  });
});
