// Holds the sources against the rules of the house, and each rule against a planted breach.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FINDING_CODES } from '../src/base/finding-code.ts';
import * as rules from './house/rules.ts';
import { readSource, type SourceText } from './house/source-text.ts';
import { cloneRoot } from './needs.ts';

const read = (file: string): string => readFileSync(join(cloneRoot, file), 'utf8');
const sourcesOf = (...patterns: string[]): SourceText[] =>
  globSync(patterns, { cwd: cloneRoot }).sort().map((file) => readSource(file, read(file)));

const product = sourcesOf('src/**/*.ts');
const everything = [...product, ...sourcesOf('tests/**/*.ts', 'scripts/**/*.ts', 'bench/**/*.ts')];
const table = rules.readRoomTable(read('ARCHITECTURE.md'));

function holds(name: string, breaches: () => readonly rules.Breach[]): void {
  test(name, () => {
    const lines = breaches().map(({ file, line, rule, instead }) => `${file}:${line}  ${rule}\n    ${instead}`);
    assert.equal(lines.length, 0, `\n${lines.join('\n')}`);
  });
}

holds('each room imports only what the table allows', () => rules.checkRoomImports(product, table));
holds('each room stands in the table', () => rules.checkRoomList(product, table));
holds('each room has its door', () => rules.checkDoors(product, table));
holds('no import goes in a circle', () => rules.checkImportCircles(product));
holds('folders of a room import each other one way', () => rules.checkFolderCircles(product));
holds('only the worldly rooms touch the world', () => rules.checkWorld(product));
holds('each file says what it is', () => rules.checkFirstLines(everything));
holds('no any and no default export', () => rules.checkWords(everything));
holds('no barrels', () => rules.checkBarrels(product));
holds('each finding is documented, each documented finding exists', () => rules.checkFindingCodes(FINDING_CODES, read('docs/reference/findings.md')));
holds('each finding code is given by something', () => rules.checkCodesAreGiven(FINDING_CODES, product));

test('the types hold', () => runs('tsc', ['--noEmit']));
test('the linter has nothing to say', () => runs('oxlint', ['--format=unix']));

function runs(program: string, words: readonly string[]): void {
  const ran = spawnSync(join(cloneRoot, 'node_modules/.bin', program), words, { cwd: cloneRoot, encoding: 'utf8' });
  assert.equal(ran.status, 0, `${ran.stdout}${ran.stderr}${ran.error?.message ?? ''}`);
}

// Each rule finds the breach planted in sources that exist only here, at its line, and nothing beside it.

const TABLE = rules.readRoomTable('| `base` | | x | — |\n| `model` | | y | base |\n| `read` | a | b | model |\n| `cli` | w | c | all |\n');
const FIRST = '// A sentence that says what this file is.\n';

function planted(files: Readonly<Record<string, string>>): SourceText[] {
  return Object.entries(files).map(([file, body]) => readSource(file, `${FIRST}${body}`));
}

function finds(name: string, breaches: readonly rules.Breach[], expected: readonly string[]): void {
  test(`planted: ${name}`, () => assert.deepEqual(breaches.map(({ file, line }) => `${file}:${line}`), expected));
}

const base = { 'src/base/base.ts': 'export const one = 1;\n' };
const LOW = "import { one } from '../base/base.ts';\n";
finds('an import up the table', rules.checkRoomImports(planted({ 'src/base/a.ts': "import type {\n  Two,\n} from '../read/read.ts';\n", 'src/read/read.ts': LOW, ...base }), TABLE), ['src/base/a.ts:4']);
finds('a dynamic import up the table', rules.checkRoomImports(planted({ 'src/model/a.ts': "const x = await import('../read/read.ts');\n", 'src/read/read.ts': '' }), TABLE), ['src/model/a.ts:2']);
finds('an import for its effect up the table', rules.checkRoomImports(planted({ 'src/model/a.ts': "import '../read/read.ts';\n", 'src/read/read.ts': '' }), TABLE), ['src/model/a.ts:2']);
finds('a type import in place', rules.checkRoomImports(planted({ 'src/model/a.ts': "let x: import('../read/read.ts').Two;\n", 'src/read/read.ts': '' }), TABLE), ['src/model/a.ts:2']);
finds('an import whose file is missing', rules.checkRoomImports(planted({ 'src/model/a.ts': "import { x } from './b';\n" }), TABLE), ['src/model/a.ts:2']);
finds('an import of the face', rules.checkRoomImports(planted({ 'src/cli/a.ts': "import { x } from '../index.ts';\n", 'src/index.ts': '' }), TABLE), ['src/cli/a.ts:2']);
finds('an import of another room’s inside', rules.checkRoomImports(planted({ 'src/read/a.ts': "import { x } from '../base/internal/x.ts';\n", 'src/base/internal/x.ts': '' }), TABLE), ['src/read/a.ts:2']);
finds('imports that are allowed, one through another', rules.checkRoomImports(planted({ 'src/read/a.ts': LOW, 'src/cli/b.ts': "import { a } from '../read/a.ts';\n", ...base }), TABLE), []);
finds('imports in comments, strings and templates', rules.checkRoomImports(planted({ 'src/base/a.ts': "// import { x } from '../read/read.ts';\nconst a = `import { x } from '../read/read.ts' ${'import(\"../read/read.ts\")'}`;\nconst r = /['\"`]/;\n" }), TABLE), []);
finds('a room without a row', rules.checkRoomList(planted({ 'src/utils/a.ts': '' }), TABLE), ['src/utils:1']);
finds('a room without a door', rules.checkDoors(planted({ ...base, 'src/model/model.ts': '', 'src/read/reader.ts': '', 'src/cli/cli.ts': '' }), TABLE), ['src/read/read.ts:1']);
finds('a circle of types', rules.checkImportCircles(planted({ 'src/base/a.ts': "import type { B } from './b.ts';\n", 'src/base/b.ts': "import { c } from './c.ts';\n", 'src/base/c.ts': "\nexport type { A } from './a.ts';\n" })), ['src/base/c.ts:3']);
finds('no circle in a diamond', rules.checkImportCircles(planted({ 'src/base/a.ts': "import './b.ts';\nimport './c.ts';\n", 'src/base/b.ts': "import './d.ts';\n", 'src/base/c.ts': "import './d.ts';\n", 'src/base/d.ts': '' })), []);
finds('folders that import each other, though no file does', rules.checkFolderCircles(planted({ 'src/base/a/one.ts': "import '../b/one.ts';\n", 'src/base/b/one.ts': '', 'src/base/b/two.ts': "import '../a/two.ts';\n", 'src/base/a/two.ts': '' })), ['src/base/b/two.ts:2']);
finds('folders one above the other', rules.checkFolderCircles(planted({ 'src/base/a/one.ts': "import '../b/one.ts';\nimport './two.ts';\n", 'src/base/a/two.ts': '', 'src/base/b/one.ts': "import '../base.ts';\n", 'src/base/base.ts': '' })), []);
finds('node: in a pure room', rules.checkWorld(planted({ 'src/read/a.ts': "import { readFileSync } from 'node:fs';\n" })), ['src/read/a.ts:2']);
finds('node: in a worldly room', rules.checkWorld(planted({ 'src/cli/a.ts': "import { readFileSync } from 'node:fs';\nconst a = Date.now();\n" })), []);
finds('clock, environment and chance', rules.checkWorld(planted({ 'src/read/a.ts': 'const a = Date.now();\nconst b = process.env;\nconst c = Math.random();\nconst d = new Date();\n' })).toSorted((a, b) => a.line - b.line), ['src/read/a.ts:2', 'src/read/a.ts:3', 'src/read/a.ts:4', 'src/read/a.ts:5']);
finds('the world inside a template', rules.checkWorld(planted({ 'src/read/a.ts': 'const a = `${{ x: `${1}` }} ${process.pid} process.pid`;\n' })), ['src/read/a.ts:2']);
finds('words for the world in comments and names', rules.checkWorld(planted({ 'src/read/a.ts': "// process.env and Date.now()\nconst text = 'process.env';\nitem.process.run();\n" })), []);
finds('a file without its sentence', rules.checkFirstLines([readSource('src/base/a.ts', 'export const a = 1;\n')]), ['src/base/a.ts:1']);
finds('any and default', rules.checkWords(planted({ 'src/base/a.ts': '// any default\nconst a: any = 1;\nexport default a;\nconst b = Promise.any([]) as unknown[];\nconst c = "any";\n' })), ['src/base/a.ts:3', 'src/base/a.ts:4']);
finds('any inside a type', rules.checkWords(planted({ 'src/base/a.ts': 'const a: Map<string, any[]> = new Map();\n' })), ['src/base/a.ts:2']);
finds('a barrel by export from', rules.checkBarrels(planted({ 'src/base/a.ts': "export { x } from './b.ts';\nexport * from './c.ts';\n" })), ['src/base/a.ts:2', 'src/base/a.ts:3']);
finds('a barrel by import and export', rules.checkBarrels(planted({ 'src/base/a.ts': "import type { X } from './b.ts';\nexport type { X };\nconst y = 1;\nexport { y };\n" })), ['src/base/a.ts:3']);
finds('the face, with and without a star', rules.checkBarrels(planted({ 'src/index.ts': "export { x } from './base/a.ts';\nexport * from './base/b.ts';\n" })), ['src/index.ts:3']);
finds('a finding without its heading, a heading without its finding', rules.checkFindingCodes(['known', 'lost'], '# Findings\n\n## `known`\n\n## `gone`\n'), ['docs/reference/findings.md:1', 'docs/reference/findings.md:5']);
finds('a finding that nothing gives', rules.checkCodesAreGiven(['given', 'lost'], planted({ 'src/read/a.ts': "const code = 'given';\n", 'src/base/finding-code.ts': "['given', 'lost']" })), ['src/base/finding-code.ts:1']);
