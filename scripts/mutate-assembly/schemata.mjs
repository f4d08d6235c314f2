// All mutants in one program: `a + b` becomes `(on(17) ? a - b : a + b)`, and a global says which one is on. So nothing is compiled
// a mutant, and the tests find the place of each by running once.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import { alternatives, assignmentAlternatives, isHint, isImmediate, isRemovable } from './operators.mjs';

const NARROW_LOAD = /^load<[iu](8|16)>/;
/** Not code: the words of an instruction. */
const LEFT_OUT = /arguments\.ts$/;

export const assemblyFiles = (root) =>
  readdirSync(join(root, 'assembly'), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join('assembly', name));

/** @returns the sources with every mutant in them, and what each mutant is; number 0 is none */
export function mutate(root) {
  const mutants = [{}];
  const constants = new Map();
  const parsed = assemblyFiles(root).map((file) => {
    const text = readFileSync(join(root, file), 'utf8').replace(/^@inline$/gm, '       ');
    return { file, source: ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true, ts.ScriptKind.TS) };
  });
  for (const { file, source } of parsed) {
    for (const statement of source.statements.filter(ts.isVariableStatement)) {
      for (const { name } of statement.declarationList.declarations) constants.set(name.getText(), { file, node: name });
    }
  }
  const sources = new Map();
  for (const { file, source } of parsed) {
    const text = LEFT_OUT.test(file) ? source.text : new Schemata(file, source, mutants, constants).text;
    const runtime = relative(join(file, '..'), 'assembly/mutation').replace(/^(?!\.)/, './');
    sources.set(file, `${text}\nimport { on, relaxed_madd, relaxed_dot } from '${runtime}';\n`);
  }
  nameAll(mutants.slice(1));
  return { sources, mutants };
}

/** By what is changed, not by its line: a name lasts while the code does. Repetitions are numbered. */
function nameAll(mutants) {
  const times = new Map();
  for (const mutant of mutants) {
    const text = `${mutant.file} ${mutant.owner}: ${mutant.before} -> ${mutant.after}`;
    const time = (times.get(text) ?? 0) + 1;
    times.set(text, time);
    mutant.name = time === 1 ? text : `${text} (${time})`;
  }
}

/** What must stay as it is: constants at the top, whose uses are changed instead; labels of a switch; types. */
const isFixed = (node) =>
  isHint(node) ||
  isImmediate(node) ||
  ts.isTypeNode(node) ||
  ts.isImportDeclaration(node) ||
  (ts.isVariableStatement(node) && ts.isSourceFile(node.parent)) ||
  (ts.isCaseClause(node.parent) && node === node.parent.expression);

function childrenOf(node) {
  const children = [];
  node.forEachChild((child) => {
    children.push(child);
  });
  return children;
}

class Schemata {
  constructor(file, source, mutants, constants) {
    Object.assign(this, { file, source, mutants, constants });
    this.text = this.inner(source, 0);
  }

  /** A new mutant's number. */
  add(node, before, after, file = this.file) {
    const { line } = node.getSourceFile().getLineAndCharacterOfPosition(node.getStart());
    const owner = ts.findAncestor(node, ts.isFunctionDeclaration)?.name.text ?? '';
    const squeeze = (text) => text.replace(/\s+/g, ' ');
    this.mutants.push({ file, line: line + 1, owner, before: squeeze(before), after: squeeze(after) });
    return this.mutants.length - 1;
  }

  /** A node's text, and the space before it, with the mutants of all that is in it. */
  emit(node) {
    const start = node.getStart();
    return this.source.text.slice(node.getFullStart(), start) + this.own(node, start);
  }

  /** With a node's own mutants around it. */
  own(node, start) {
    if (isFixed(node)) return node.getText();
    if (ts.isIdentifier(node)) return this.constant(node);
    // Where its first assignment may be removed, a variable needs a value.
    if (ts.isVariableDeclaration(node) && !node.initializer) return `${node.getText()} = i32x4.splat(0)`;
    if (ts.isBinaryExpression(node)) {
      const choices = assignmentAlternatives(node).map(([right, change]) => `on(${this.add(node, node.getText(), change)}) ? ${right} : `);
      if (choices.length > 0) return `${this.inner(node, start, node.right)} (${choices.join('')}${this.emit(node.right)})`;
    }
    if (isRemovable(node)) return `{ if (!on(${this.add(node, node.getText(), 'removed')})) ${this.inner(node, start)} }`;
    const choices = alternatives(node).map((other) => `on(${this.add(node, node.getText(), other)}) ? ${other} : `);
    const text = this.inner(node, start);
    if (choices.length === 0) return text;
    // Both sides of a choice have one type.
    const type = NARROW_LOAD.test(text) ? '<i32>' : '';
    return `(${choices.map((choice) => choice.replace('? load', `? ${type}load`)).join('')}${type}${text})`;
  }

  /** Its parts, up to one that is left out, and what is between them. */
  inner(node, start, end) {
    let text = '';
    let at = start;
    for (const child of childrenOf(node)) {
      text += this.source.text.slice(at, child.getFullStart());
      if (child === end) return text;
      text += child.getFullStart() < start ? this.own(child, start) : this.emit(child);
      at = child.end;
    }
    return text + this.source.text.slice(at, node.end);
  }

  constant(node) {
    const found = this.constants.get(node.text);
    const { parent } = node;
    if (!found || ts.isImportSpecifier(parent) || ts.isPropertyAccessExpression(parent)) return node.text;
    found.id ??= this.add(found.node, `${node.text}`, `${node.text} + 1`, found.file);
    return `(on(${found.id}) ? ${node.text} + 1 : ${node.text})`;
  }
}
