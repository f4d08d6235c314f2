// What is changed: for a place in the sources, other texts that compile there. One mutant each.
import ts from 'typescript';

const { SyntaxKind: Kind } = ts;

const BINARY = {
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '<<': ['>>'],
  '>>': ['<<'],
  '&': ['|'],
  '|': ['&'],
  '<': ['<='],
  '<=': ['<'],
  '>': ['>='],
  '>=': ['>'],
  '==': ['!='],
  '!=': ['=='],
  '&&': ['||'],
  '||': ['&&'],
};

/** Instructions and functions: one that takes the same operands and gives something else. */
const CALLS = [
  [/\.add$/, '.sub'],
  [/\.sub$/, '.add'],
  [/x4\.mul$/, 'x4.add'],
  [/\.pmin$/, '.pmax'],
  [/\.pmax$/, '.pmin'],
  [/\.min_s$/, '.max_s'],
  [/\.max_s$/, '.min_s'],
  [/\.eq$/, '.ne'],
  [/\.and$/, '.or'],
  [/\.xor$/, '.or'],
  [/\.shl$/, '.shr_s'],
  [/\.abs$/, '.neg'],
  [/mul_low_(\w+)_s$/, 'mul_high_$1_s'],
  [/mul_high_(\w+)_s$/, 'mul_low_$1_s'],
  [/extend_low_(\w+)_s$/, 'extend_high_$1_s'],
  [/extend_high_(\w+)_s$/, 'extend_low_$1_s'],
  [/(extmul|extend|narrow|convert)(\w*)_s$/, '$1$2_u'],
  [/\.dot_i16x8_s$/, '.extmul_low_i16x8_s'],
  [/\.q15mulr_sat_s$/, '.mul'],
  [/^min$/, 'max'],
  [/^max$/, 'min'],
  [/^floor$/, 'ceil'],
  [/^nearest$/, 'floor'],
  [/(load|load_ext)<i(8|16)>$/, '$1<u$2>'],
  [/(load|load_ext)<u(8|16)>$/, '$1<i$2>'],
  [/load_zero<u64>$/, 'load_zero<u32>'],
];

/** The argument that is a distance from the pointer, and must be a constant. */
const OFFSET = [
  [/^(v128\.)?load(_\w+)?$/, 1],
  [/^(v128\.)?store$/, 2],
];

/** To the compiler, not to the result: what lies in these is not changed. */
export const isHint = (node) => ts.isCallExpression(node) && /^(never|isFloat|sizeof|offsetof)$/.test(node.expression.getText());

/** Arguments that must be constants. */
export function isImmediate(node) {
  const call = node.parent;
  if (!ts.isCallExpression(call)) return false;
  const name = call.expression.getText();
  const index = call.arguments.indexOf(node);
  if (name === 'v128.shuffle') return index > 1;
  if (name === 'v128.store_lane') return index === 2;
  return OFFSET.some(([pattern, at]) => pattern.test(name) && index === at);
}

const isCondition = (node) =>
  (ts.isIfStatement(node.parent) && node.parent.expression === node) ||
  (ts.isConditionalExpression(node.parent) && node.parent.condition === node);

/** Texts that may stand in an expression's place. */
export function alternatives(node) {
  const text = node.getText();
  const found = [];
  if (ts.isNumericLiteral(node)) found.push(/[.e]/.test(text) ? `${text} + 1.0` : `${Number(text) + 1}`);
  if (node.kind === Kind.TrueKeyword) found.push('false');
  if (node.kind === Kind.FalseKeyword) found.push('true');
  if (ts.isBinaryExpression(node)) {
    const [left, operator, right] = [node.left, node.operatorToken, node.right].map((part) => part.getText());
    for (const other of BINARY[operator] ?? []) found.push(`${left} ${other} ${right}`);
  }
  if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
    const operand = node.operand.getText();
    if (/^\+\+|\+\+$/.test(text)) found.push(text.replace('++', '--'));
    else found.push(operand);
  }
  if (ts.isCallExpression(node)) found.push(...callAlternatives(node));
  const isEquality = ts.isBinaryExpression(node) && /^([!=]=|&&|\|\|)$/.test(node.operatorToken.getText());
  if (isCondition(node) && !isEquality && !text.startsWith('!')) found.push(`!(${text})`);
  return found.filter((other) => other !== text);
}

function callAlternatives(node) {
  const name = node.expression.getText();
  const types = node.typeArguments ? `<${node.typeArguments.map((type) => type.getText()).join(', ')}>` : '';
  const given = node.arguments.map((argument) => argument.getText());
  const call = (args, callee = name + types) => `${callee}(${args.join(', ')})`;
  const found = CALLS.filter(([pattern]) => pattern.test(name + types)).map(([pattern, other]) =>
    call(given, (name + types).replace(pattern, other)),
  );
  for (const [pattern, at] of OFFSET) {
    if (pattern.test(name) && /^\d+$/.test(given[at] ?? '')) found.push(call(given.with(at, '0')));
  }
  if (name === 'v128.store_lane') found.push(call([given[0], given[1], `${1 - Number(given[2])}`]));
  if (name === 'v128.shuffle') {
    const [a, b, ...lanes] = given;
    found.push(call([a, b, ...lanes.slice(1), lanes[0]]));
    if (a !== b) found.push(call([b, a, ...lanes]));
  }
  if (/relaxed_madd$/.test(name)) found.push(call([given[0], given[2], given[1]]));
  if (/relaxed_dot\w+$/.test(name)) found.push(call([given[1], given[0], given[2]]));
  return found;
}

/** For an assignment, texts that may stand in the place of its right side: nothing changes, or the other way. */
export function assignmentAlternatives(node) {
  const [left, operator, right] = [node.left, node.operatorToken, node.right].map((part) => part.getText());
  if (operator === '=') return [[left, 'removed']];
  if (operator === '+=' || operator === '-=') {
    return [
      ['0', 'removed'],
      [`0 - (${right})`, `${left} ${operator === '+=' ? '-=' : '+='} ${right}`],
    ];
  }
  return [];
}

/** Statements that may be left out. */
export function isRemovable(node) {
  if (ts.isExpressionStatement(node)) return ts.isCallExpression(node.expression);
  const guard = ts.isBlock(node.parent) ? node.parent.parent : node.parent;
  if (ts.isIfStatement(guard) && isHint(guard.expression)) return false;
  if (ts.isBreakStatement(node)) {
    // The last case of a switch ends anyway.
    const clause = node.parent;
    return !ts.isCaseClause(clause) || clause !== clause.parent.clauses.at(-1);
  }
  return ts.isContinueStatement(node) || (ts.isReturnStatement(node) && !node.expression);
}
