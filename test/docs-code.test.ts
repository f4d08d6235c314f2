import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

// Every block of code in README.md and docs/, the reference's examples among them, passes the type checker as a user's file would.

const pagesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
const PAGES = ['README.md', ...pagesIn('docs')];

interface Block {
  readonly language: string;
  readonly code: string;
  readonly where: string;
}

const BLOCKS: Block[] = PAGES.flatMap((page) => {
  const text = readFileSync(page, 'utf8');
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map(({ 1: language = '', 2: code = '', index }) => ({
    language,
    code,
    where: `${page}:${text.slice(0, index).split('\n').length}`,
  }));
});

/** What blocks talk of without making it. */
const KNOWN = `
import type * as main from 'mobilenet-v3-wasm';
import type * as kernel from 'mobilenet-v3-wasm/kernels';
import type * as transfer from 'mobilenet-v3-wasm/transfer';
declare global {
  const { compare, cosineSimilarity, describe, detectFeatures, estimate, evaluate, layerErrors, loadModel, quantize }: typeof main;
  const { loadKernels }: typeof kernel;
  const { Examples, Head, trainHead }: typeof transfer;
  const model: main.Model, float: main.Model, int8: main.Model;
  const bytes: Uint8Array, source: string;
  const image: main.ImageSource, picture: main.ImageSource, other: main.ImageSource, first: main.ImageSource, second: main.ImageSource;
  const images: main.ImageSource[], samples: main.Sample[];
  const kernels: kernel.Kernels, output: kernel.QuantParams, bias: Float32Array;
  /** Tensors of either kind, as the kernel at hand takes them. */
  const x: any, a: any, b: any, q: any, filter: any, back: any, logits: any;
  const examples: transfer.Examples, head: transfer.Head;
}
declare module 'mobilenet-v3-wasm-standalone/*.wasm' {}
`;
const WASM = 'declare const module: WebAssembly.Module;\nexport default module;\n';

const typed = BLOCKS.filter(({ language }) => language === 'js' || language === 'ts');
const virtual = new Map<string, string>();
const place = (name: string, text: string) => {
  const path = resolve(`docs-code/${name}`);
  virtual.set(path, text);
  return path;
};

/** What the type checker says, by block. */
function complaints(): Map<string, string[]> {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.esnext.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: ['node'],
    noEmit: true,
    skipLibCheck: true,
    baseUrl: '.',
    paths: {
      '#platform': ['src/platform/node.ts'],
      'mobilenet-v3-wasm': ['src/index.ts'],
      'mobilenet-v3-wasm/kernels': ['src/kernels/index.ts'],
      'mobilenet-v3-wasm/transfer': ['src/transfer.ts'],
      'mobilenet-v3-wasm/worker': ['src/worker/serve.ts'],
      'mobilenet-v3-wasm-standalone/*.wasm': ['docs-code/module.mts'],
    },
  };
  place('module.mts', WASM);
  place('mobilenet-v3-wasm.ts', "export * from '../src/standalone.js';\n");
  const known = place('known.mts', KNOWN);
  const files = typed.map(({ code }, i) => place(`${i}.mts`, `${code}\nexport {};\n`));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.directoryExists = (path) => path === resolve('docs-code') || ts.sys.directoryExists(path);
  host.fileExists = (path) => virtual.has(resolve(path)) || fileExists(path);
  host.readFile = (path) => virtual.get(resolve(path)) ?? readFile(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = virtual.get(resolve(path));
    return text === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version, true);
  };
  const program = ts.createProgram([known, ...files], options, host);
  return new Map(
    [known, ...files].map((file, i) => {
      const source = program.getSourceFile(file) as ts.SourceFile;
      const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
      return [typed[i - 1]?.where ?? 'known', found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))];
    }),
  );
}

it('is of a language that is looked at', () => {
  const languages = new Set(['js', 'ts', 'json', 'sh', 'python', 'typescript', '']);
  expect(BLOCKS.filter(({ language }) => !languages.has(language)).map(({ where }) => where)).toEqual([]);
});

it('has blocks of JavaScript and TypeScript that pass the type checker', () => {
  expect(typed.length).toBeGreaterThan(40);
  expect([...complaints()].filter(([, messages]) => messages.length > 0)).toEqual([]);
});

it('has blocks of JSON that parse', () => {
  for (const { code } of BLOCKS.filter(({ language }) => language === 'json')) JSON.parse(code);
});
