// node scripts/api.mjs            writes docs/api/, the reference of all entries, from the comments in src/
// node scripts/api.mjs --check    fails where docs/api/ is not what src/ says, or where a public function says too little
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Application, ReflectionKind } from 'typedoc';

const FOLDER = 'docs/api';
/** They throw nothing, whatever they are given. */
const NEVER_THROW = new Set([
  'detectFeatures',
  'serve',
  'Model.dispose',
  'Model.[dispose]',
  'Examples.remove',
  'Examples.all',
  'Examples.save',
  'Head.save',
]);

/** What each public function and method lacks: a sentence, an example, what it throws, what it returns. */
function lacking(project) {
  const complaints = [];
  for (const signature of project.getReflectionsByKind(ReflectionKind.CallSignature)) {
    const owner = signature.parent?.parent;
    const isMethod = owner?.kindOf(ReflectionKind.ClassOrInterface);
    // Members of option objects, such as callbacks, are described where they stand.
    if (!isMethod && !signature.parent?.kindOf(ReflectionKind.Function)) continue;
    if (signature.parent.flags.isInherited && /Error$/.test(owner?.name ?? '')) continue;
    const name = isMethod ? `${owner.name}.${signature.name}` : signature.name;
    const has = (tag) => signature.comment?.getTag(tag) !== undefined;
    if (!signature.comment?.hasVisibleComponent()) complaints.push(`${name} has no comment`);
    if (!has('@example')) complaints.push(`${name} has no @example`);
    if (!has('@throws') && !NEVER_THROW.has(name)) complaints.push(`${name} has no @throws`);
  }
  return complaints;
}

const filesOf = (folder) =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]),
  );

const check = process.argv.includes('--check');
const out = check ? mkdtempSync(join(tmpdir(), 'mobilenet-v3-api-')) : FOLDER;
const app = await Application.bootstrapWithPlugins({ out, logLevel: 'Warn' });
const project = await app.convert();
const complaints = project ? lacking(project) : ['src/ cannot be read'];
if (project) {
  app.validate(project);
  await app.generateOutputs(project);
}
if (app.logger.hasErrors() || app.logger.hasWarnings()) complaints.push('TypeDoc warns; see above');
if (check && project) {
  const [made, kept] = [filesOf(out), filesOf(FOLDER)];
  for (const [name, text] of made)
    if (kept.get(name) !== text) complaints.push(`${FOLDER}/${name} is not what src/ says; run "npm run api"`);
  for (const name of kept.keys()) if (!made.has(name)) complaints.push(`${FOLDER}/${name} is about nothing; run "npm run api"`);
  rmSync(out, { recursive: true });
}
for (const complaint of complaints) console.error(complaint);
process.exitCode = complaints.length > 0 ? 1 : 0;
