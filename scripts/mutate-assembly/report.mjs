// What became of the mutants: on the screen, and in report.json.
import { readFileSync, writeFileSync } from 'node:fs';

const REPORT = new URL('report.json', import.meta.url);
/** Mutants that give the same results as the sources, and why: [{ why, mutants: [name] }]. */
const EQUIVALENT = new URL('equivalent.json', import.meta.url);
const LEAST_SCORE = 0.9;

/** @returns {Map<string, string>} why, by the mutant's name */
export const equivalents = () =>
  new Map(JSON.parse(readFileSync(EQUIVALENT, 'utf8')).flatMap(({ why, mutants }) => mutants.map((name) => [name, why])));

const emptyRow = () => ({ mutants: 0, killed: 0, equivalent: 0, survived: 0 });

/**
 * @param mutants each with its fate: killed, equivalent, survived, not reached
 * @param isAll whether these are all that there are: only then is report.json written
 * @returns whether no survivor is left unnamed, and the score is what it must be
 */
export function report(mutants, isAll) {
  const excuses = equivalents();
  const files = {};
  const total = emptyRow();
  const survivors = [];
  for (const { file, name, fate } of mutants) {
    files[file] ??= emptyRow();
    const column = fate === 'killed' ? 'killed' : excuses.has(name) ? 'equivalent' : 'survived';
    if (column === 'survived') survivors.push(name);
    for (const row of [files[file], total]) {
      row.mutants++;
      row[column]++;
    }
  }
  const fates = new Map(mutants.map(({ name, fate }) => [name, fate]));
  const idle = isAll ? [...excuses.keys()].filter((name) => (fates.get(name) ?? 'killed') === 'killed') : [];
  for (const name of idle) console.log(`equivalent.json names what is killed or gone: ${name}`);
  console.table({ ...files, total });
  const score = total.killed / total.mutants;
  console.log(
    `${(100 * score).toFixed(1)} % of ${total.mutants} mutants are killed; ${total.equivalent} are equivalent, ${total.survived} survive`,
  );
  if (isAll) writeFileSync(REPORT, textOf({ ...files, total }, score, survivors));
  return score >= LEAST_SCORE && survivors.length + idle.length === 0;
}

/** A line a file. */
function textOf(rows, score, survivors) {
  const list = (lines) => (lines.length > 0 ? `\n    ${lines.join(',\n    ')}\n  ` : '');
  const files = Object.entries(rows).map(([file, row]) => `${JSON.stringify(file)}: ${JSON.stringify(row)}`);
  const date = new Date().toISOString().slice(0, 10);
  return `{
  "date": "${date}",
  "score": ${score.toFixed(4)},
  "files": {${list(files)}},
  "survivors": [${list(survivors.map((name) => JSON.stringify(name)))}]
}
`;
}
