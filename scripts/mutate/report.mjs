// What the runs found: a table of folders, and what survived.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { filesOf, folderOf, NAMES, partOf } from './parts.mjs';

const REPORT = 'test/mutation/report.md';
/** Reasons, and the mutants that cannot be told from the original for each. */
const EQUIVALENT = 'test/mutation/equivalent.json';

export const fileOf = (part) => `build/mutation/${part.replaceAll('/', '-')}.json`;

const oneLine = (text) => text.replace(/\s+/g, ' ').trim();

/** All mutants of a part. A mutant's key has the text around it and no line number, which moves. */
function mutantsOf(part) {
  const { files } = JSON.parse(readFileSync(fileOf(part), 'utf8'));
  return Object.entries(files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split('\n');
    return mutants.map(({ location: { start, end }, replacement, status }) => {
      const rows = lines.slice(start.line - 1, end.line);
      rows[rows.length - 1] = rows[rows.length - 1].slice(0, end.column - 1);
      rows[0] = rows[0].slice(start.column - 1);
      const change = `${oneLine(rows.join('\n'))} -> ${oneLine(replacement)}`;
      return { line: start.line, key: `${file}: ${oneLine(lines[start.line - 1])} | ${change}`, status };
    });
  });
}

const equivalents = new Set(Object.values(JSON.parse(readFileSync(EQUIVALENT, 'utf8'))).flat());
const isDetected = ({ status }) => status === 'Killed' || status === 'Timeout';
const isUndetected = ({ status }) => status === 'Survived' || status === 'NoCoverage';

export const survivorsOf = (part) =>
  mutantsOf(part)
    .filter((mutant) => isUndetected(mutant) && !equivalents.has(mutant.key))
    .map(({ line, status, key }) => `${line}\t${status}\t${key}`);

export function writeReport() {
  const rows = [...new Set(NAMES.map(folderOf))].flatMap((folder) => {
    const parts = NAMES.filter((part) => folderOf(part) === folder && existsSync(fileOf(part)));
    if (parts.length === 0) return [];
    const mutants = parts.flatMap(mutantsOf);
    const killed = mutants.filter(isDetected).length;
    const equivalent = mutants.filter((mutant) => isUndetected(mutant) && equivalents.has(mutant.key)).length;
    const survived = mutants.filter(isUndetected).length - equivalent;
    const score = ((100 * killed) / (killed + survived)).toFixed(1);
    const run = new Set(parts.flatMap((part) => partOf(part).mutate));
    const others = filesOf(`src/${folder}`).filter((file) => !run.has(file));
    const names = others.map((file) => file.slice(`src/${folder}/`.length, -'.ts'.length));
    const without = names.length > 0 ? `, without ${names.join(', ')}` : '';
    return [`| \`src/${folder}/\`${without} | ${killed + survived + equivalent} | ${killed} | ${equivalent} | ${survived} | ${score} % |`];
  });
  const date = new Date().toISOString().slice(0, 10);
  const text = `# Mutation testing of src/

Written by \`npm run mutate\`, ${date}, Node ${process.version}. Stryker changes operators, constants and statements one at a time; unit tests
must notice. Texts are left alone. The score is killed / (killed + survived); \`equivalent.json\` names mutants that no test can tell from
the original, each with its reason.

| folder | mutants | killed | equivalent | survived | score |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
  writeFileSync(REPORT, text);
}
