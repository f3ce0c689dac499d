// The agent's image without a container engine: follows `deploy/Containerfile` line by line, with this machine's programs in the place of the base image's.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cloneRoot } from '../../needs.ts';
import { clusterRoot } from '../run-script.ts';

export interface AgentImage {
  /** A tarball that `ctr images import` takes. */
  readonly file: string;
  remove(): void;
}

/** Programs of `node:24-bookworm-slim` that the launcher calls. */
const BASE_PROGRAMS: readonly string[] = [process.execPath, 'sh', 'readlink', 'dirname', 'cut'];
/** What a Debian package is wanted for. */
const PROGRAMS_OF_PACKAGE: ReadonlyMap<string, readonly string[]> = new Map([['nftables', ['nft']]]);

interface Building {
  readonly folder: string;
  readonly programs: string[];
  workdir: string;
  entrypoint: readonly string[];
}

/** Takes some 20 s: the dependencies are installed as the file says, from npm's cache where it has them. Throws at an instruction that it does not know. */
export function buildAgentImage(names: readonly string[]): AgentImage {
  const folder = mkdtempSync(join(clusterRoot(), 'image-'));
  try {
    const building: Building = { folder, programs: [], workdir: '/', entrypoint: [] };
    for (const line of instructions()) follow(building, line);
    return { file: packImage(building, names), remove: () => rmSync(folder, { recursive: true }) };
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
}

function instructions(): readonly string[] {
  const text = readFileSync(join(cloneRoot, 'deploy/Containerfile'), 'utf8').replaceAll(/^#.*\n/gm, '');
  return text.replaceAll(/\\\n/g, '').split('\n').filter((line) => line !== '');
}

function follow(building: Building, line: string): void {
  const [, word, rest] = /^([A-Z]+) +(.*)$/.exec(line) ?? [];
  if (word === 'FROM' && rest === 'docker.io/library/node:24-bookworm-slim') building.programs.push(...BASE_PROGRAMS);
  else if (word === 'WORKDIR') mkdirSync(join(building.folder, (building.workdir = rest!)), { recursive: true });
  else if (word === 'COPY') copy(building, rest!.split(/ +/));
  else if (word === 'ENTRYPOINT') building.entrypoint = JSON.parse(rest!) as readonly string[];
  else if (word === 'RUN') for (const command of rest!.split('&&')) runCommand(building, command.trim().split(/ +/));
  else throw new Error(`nobody here knows how to follow: ${line}`);
}

function copy({ folder, workdir }: Building, words: readonly string[]): void {
  const target = words.at(-1)!;
  for (const source of words.slice(0, -1)) {
    const into = join(folder, workdir, target, target.endsWith('/') ? source : '');
    if (source === 'dist') compile(into);
    else cpSync(join(cloneRoot, source), into, { recursive: true });
  }
}

/** What `npm run build` does, beside the clone. */
function compile(into: string): void {
  run([process.execPath, join(cloneRoot, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json', '--outDir', into], cloneRoot);
}

function runCommand({ folder, workdir, programs }: Building, words: readonly string[]): void {
  const [program, verb] = words;
  if (program === 'apt-get' && verb === 'install') {
    for (const name of words.slice(2).filter((word) => !word.startsWith('-'))) programs.push(...PROGRAMS_OF_PACKAGE.get(name)!);
  } else if (program === 'npm' && verb === 'ci') run(words, join(folder, workdir));
  else if (program === 'rm' && words.slice(2).every((path) => !path.startsWith('/'))) run(words, join(folder, workdir));
  // What the base image alone has to be rid of.
  else if (!['apt-get update', 'rm -rf /var/lib/apt/lists/*', 'npm cache clean --force'].includes(words.join(' '))) throw new Error(`nobody here knows how to follow: ${words.join(' ')}`);
}

function packImage({ folder, workdir, programs, entrypoint }: Building, names: readonly string[]): string {
  const file = join(folder, 'image.tar');
  run([
    join(cloneRoot, 'tests/cluster/mkimage.py'), file,
    ...names.flatMap((name) => ['--name', name]),
    ...programs.flatMap((program) => ['--exec', program]),
    '--tree', `${join(folder, workdir)}:${workdir}`,
    '--text', '/etc/passwd=root:x:0:0:root:/root:/bin/sh\\n',
    ...entrypoint.flatMap((word) => ['--entrypoint', word]),
  ], folder);
  return file;
}

function run(words: readonly string[], cwd: string): void {
  const { status, stdout, stderr } = spawnSync(words[0]!, words.slice(1), { cwd, encoding: 'utf8', env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, npm_config_prefer_offline: 'true' } });
  if (status !== 0) throw new Error(`${words.join(' ')} ended with ${String(status)}:\n${stdout}${stderr}`);
}
