// The rules of the house as functions over sources: each gives the places that break it and what to do instead.
import { dirname, join } from 'node:path/posix';
import { lineOf, type Import, type SourceText } from './source-text.ts';

export interface Breach {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly instead: string;
}

/** Rooms by name with all rooms they may import, their imports' imports included. */
export type RoomTable = ReadonlyMap<string, ReadonlySet<string>>;

/** These touch the world; all others are value in, value out, and run in a browser. */
const WORLDLY_ROOMS: ReadonlySet<string> = new Set(['kube', 'kernel', 'lab', 'server', 'history', 'terminal', 'input', 'cli']);

/** Rows of `| room | takes | gives | may import |` with the room in backticks. */
export function readRoomTable(markdown: string): RoomTable {
  const direct = new Map<string, readonly string[]>();
  for (const [, room, list] of markdown.matchAll(/^\| `([a-z]+)` \|.*\|([^|]*)\|\s*$/gm)) {
    const names = list!.trim();
    direct.set(room!, names === '—' ? [] : names === 'all' ? ['*'] : names.split(', '));
  }
  const reach = (room: string, seen: Set<string>): Set<string> => {
    for (const next of direct.get(room) ?? []) {
      const names = next === '*' ? [...direct.keys()].filter((name) => name !== room) : [next];
      for (const name of names) if (!seen.has(name)) reach(name, seen.add(name));
    }
    return seen;
  };
  return new Map([...direct.keys()].map((room) => [room, reach(room, new Set())]));
}

export function checkRoomImports(sources: readonly SourceText[], table: RoomTable): Breach[] {
  const known = new Set(sources.map(({ file }) => file));
  return inRooms(sources).flatMap((source) =>
    source.imports.flatMap((entry) => {
      const instead = roomImportFault(source.file, entry, table, known);
      return instead === undefined ? [] : [{ file: source.file, line: entry.line, rule: `imports ${entry.path}`, instead }];
    }),
  );
}

function roomImportFault(file: string, entry: Import, table: RoomTable, known: ReadonlySet<string>): string | undefined {
  if (!entry.path.startsWith('.')) return undefined;
  const target = resolveImport(file, entry.path);
  if (!known.has(target) && !target.endsWith('.json')) return `no such file: name the file that defines the value, with its .ts`;
  if (target === 'src/index.ts') return 'src/index.ts is for those outside: import the file that defines the name';
  const room = roomOf(file);
  const targetRoom = roomOf(target);
  if (room === undefined || room === targetRoom) return undefined;
  if (target.includes('/internal/')) return `internal/ belongs to ${targetRoom} alone: import what ${targetRoom} offers`;
  if (targetRoom !== undefined && table.get(room)?.has(targetRoom) === true) return undefined;
  return `${room} may not import ${targetRoom ?? target}: pass the value in from above, or move the thing down; the table is in ARCHITECTURE.md`;
}

export function checkRoomList(sources: readonly SourceText[], table: RoomTable): Breach[] {
  const rooms = new Set(sources.flatMap(({ file }) => roomOf(file) ?? []));
  const missing = [...rooms].filter((room) => !table.has(room));
  return missing.map((room) => ({
    file: `src/${room}`,
    line: 1,
    rule: 'a room that the table does not know',
    instead: 'add its row to ARCHITECTURE.md: what it takes, gives and may import',
  }));
}

/** Circles of imports, types counted: each is told once, at the import that closes it. */
export function checkImportCircles(sources: readonly SourceText[]): Breach[] {
  return findCircles(sources, (file) => file, 'move what both need into a file below them');
}

/** Circles between the folders of a room, and between a folder and a file beside it. */
export function checkFolderCircles(sources: readonly SourceText[]): Breach[] {
  const place = (file: string): string => (dirname(file).split('/').length > 2 ? dirname(file) : file);
  return findCircles(sources, place, 'folders of a room are layers: move what both need into a folder below them');
}

interface PlacedImport {
  readonly file: string;
  readonly line: number;
  readonly target: string;
}

function findCircles(sources: readonly SourceText[], place: (file: string) => string, instead: string): Breach[] {
  const places = importsByPlace(sources, place);
  const breaches: Breach[] = [];
  const done = new Set<string>();
  const visit = (here: string, path: readonly string[]): void => {
    for (const { file, line, target } of places.get(here) ?? []) {
      if (done.has(target)) continue;
      const start = path.indexOf(target);
      if (start < 0) visit(target, [...path, target]);
      else breaches.push({ file, line, rule: `a circle: ${[...path.slice(start), target].join(' → ')}`, instead });
    }
    done.add(here);
  };
  for (const here of places.keys()) if (!done.has(here)) visit(here, [here]);
  return breaches;
}

/** An import within one place that is more than a file counts for nothing. */
function importsByPlace(sources: readonly SourceText[], place: (file: string) => string): ReadonlyMap<string, readonly PlacedImport[]> {
  const known = new Set(sources.map(({ file }) => file));
  const places = new Map<string, PlacedImport[]>();
  for (const { file, imports } of sources) {
    const placed = imports.flatMap(({ path, line }) => {
      const resolved = resolveImport(file, path);
      const target = place(resolved);
      return known.has(resolved) && (target !== place(file) || resolved === file) ? [{ file, line, target }] : [];
    });
    places.set(place(file), [...(places.get(place(file)) ?? []), ...placed]);
  }
  return places;
}

const WORLD = [
  { pattern: /(?<![.\w$])process\s*[.?[]/g, name: 'process' },
  { pattern: /(?<![\w$])Date\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)|(?<![.\w$])performance\s*\./g, name: 'the clock' },
  { pattern: /\bMath\s*\.\s*random\b|(?<![.\w$])crypto\s*\./g, name: 'chance' },
  { pattern: /(?<![.\w$])(?:setTimeout|setInterval|setImmediate)\s*\(/g, name: 'a timer' },
  { pattern: /(?<![.\w$])(?:Buffer\s*[.(]|require\s*\(|__dirname\b|__filename\b)/g, name: 'a global of Node' },
] as const;

/** Only the worldly rooms import `node:`, read the clock, the environment or chance. */
export function checkWorld(sources: readonly SourceText[]): Breach[] {
  return inRooms(sources)
    .filter(({ file }) => !WORLDLY_ROOMS.has(roomOf(file)!))
    .flatMap(({ file, text, code, imports }) => {
      const instead = `only ${[...WORLDLY_ROOMS].join(', ')} touch the world: take the value as a parameter`;
      const modules = imports.filter(({ path }) => path.startsWith('node:'));
      return [
        ...modules.map(({ path, line }) => ({ file, line, rule: `imports ${path}`, instead })),
        ...WORLD.flatMap(({ pattern, name }) =>
          [...code.matchAll(pattern)].map(({ index }) => ({ file, line: lineOf(text, index), rule: `uses ${name}`, instead })),
        ),
      ];
    });
}

export function checkDoors(sources: readonly SourceText[], table: RoomTable): Breach[] {
  const files = new Set(sources.map(({ file }) => file));
  return [...table.keys()]
    .filter((room) => !files.has(`src/${room}/${room}.ts`))
    .map((room) => ({
      file: `src/${room}/${room}.ts`,
      line: 1,
      rule: 'a room without its door file',
      instead: 'add the file of the room’s name: its sentence first, then its main functions',
    }));
}

export function checkFirstLines(sources: readonly SourceText[]): Breach[] {
  return sources
    .filter(({ text }) => !/^\/\/ \S.{18,}/.test(text))
    .map(({ file }) => ({ file, line: 1, rule: 'no sentence on the first line', instead: 'say in one comment line what the file is, or what it turns into what' }));
}

export function checkWords(sources: readonly SourceText[]): Breach[] {
  const words = [
    { pattern: /(?<![.\w$])any(?![\w$]|\s*[:(?])/g, rule: 'the type any', instead: 'unknown until looked at, or the type itself' },
    { pattern: /\bexport\s+default\b/g, rule: 'a default export', instead: 'export it by its name' },
  ];
  return sources.flatMap(({ file, text, code }) =>
    words.flatMap(({ pattern, rule, instead }) => [...code.matchAll(pattern)].map(({ index }) => ({ file, line: lineOf(text, index), rule, instead }))),
  );
}

/** A file that hands on names of another is a barrel, in whichever way it is written. */
export function checkBarrels(sources: readonly SourceText[]): Breach[] {
  return sources.flatMap(({ file, text, code, imports }) => {
    if (file === 'src/index.ts') return starExports({ file, text, code, imports });
    const instead = 'import the file that defines the name; only src/index.ts hands names on';
    const handedOn = imports.filter(({ isHandedOn }) => isHandedOn).map(({ line, path }) => ({ file, line, rule: `hands on ${path}`, instead }));
    const imported = new Set([...code.matchAll(/\bimport\b([^;]*?)\bfrom\b/g)].flatMap(([, clause]) => namesOf(clause!)));
    const listed = [...code.matchAll(/\bexport\s+(?:type\s*)?\{([^}]*)\}/g)]
      .filter(([, list]) => namesOf(list!).some((name) => imported.has(name)))
      .map(({ index }) => ({ file, line: lineOf(text, index), rule: 'exports what it imported', instead }));
    return [...handedOn, ...listed.filter(({ line }) => !handedOn.some((other) => other.line === line))];
  });
}

function starExports({ file, text, code }: SourceText): Breach[] {
  return [...code.matchAll(/\bexport\s*\*/g)].map(({ index }) => ({ file, line: lineOf(text, index), rule: 'export *', instead: 'name what the library offers' }));
}

function namesOf(clause: string): string[] {
  return clause.split(/[{},]|\bas\b|\btype\b/).map((name) => name.trim()).filter((name) => name !== '');
}

/** Each code has a heading ``## `code` `` on the findings page, and each heading is a code. */
export function checkFindingCodes(codes: readonly string[], page: string): Breach[] {
  const file = 'docs/reference/findings.md';
  const headings = [...page.matchAll(/^#+ `([a-z0-9-]+)`/gm)].map((match) => ({ code: match[1]!, line: lineOf(page, match.index) }));
  const documented = new Set(headings.map(({ code }) => code));
  const known = new Set(codes);
  return [
    ...codes
      .filter((code) => !documented.has(code))
      .map((code) => ({ file, line: 1, rule: `no heading for the finding ${code}`, instead: 'add it: what it means, an example, the repair' })),
    ...headings
      .filter(({ code }) => !known.has(code))
      .map(({ code, line }) => ({ file, line, rule: `${code} is no finding of the source`, instead: 'take the heading out, or add the code to src/base/finding-code.ts' })),
  ];
}

/** A code that nothing gives is a promise that nobody keeps. */
export function checkCodesAreGiven(codes: readonly string[], sources: readonly SourceText[]): Breach[] {
  const givers = sources.filter(({ file }) => file.startsWith('src/') && file !== 'src/base/finding-code.ts');
  return codes
    .filter((code) => !givers.some(({ text }) => text.includes(`'${code}'`)))
    .map((code) => ({ file: 'src/base/finding-code.ts', line: 1, rule: `nothing gives the finding ${code}`, instead: 'take it out until something does' }));
}

function inRooms(sources: readonly SourceText[]): readonly SourceText[] {
  return sources.filter(({ file }) => roomOf(file) !== undefined);
}

function roomOf(file: string): string | undefined {
  return /^src\/([^/]+)\//.exec(file)?.[1];
}

function resolveImport(file: string, path: string): string {
  return path.startsWith('.') ? join(dirname(file), path) : path;
}
