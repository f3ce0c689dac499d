// Packages of another release of Debian, unpacked into a folder and never installed: kernels and programs of other versions to run the suite with.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Outside of the clone, so that it outlives `git clean`; whoever wants newer packages deletes it. */
const CACHE = join(homedir(), '.cache/bulkhead-kernels');
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The folder with what the packages hold. Packages without files stand for those of `names` that they depend on. */
export function unpackPackages(release: string, names: readonly string[]): string {
  const folder = join(CACHE, `${release}-${names.join('-')}`);
  if (existsSync(folder)) return folder;
  const apt = openRelease(release);
  const work = `${folder}.${process.pid}`;
  mkdirSync(join(work, 'root'), { recursive: true });
  run('apt-get', [...apt, 'download', '-q', ...names.map((name) => contentOf(apt, name))], work);
  for (const file of globSync('*.deb', { cwd: work })) run('dpkg-deb', ['-x', file, join(work, 'root')], work);
  renameSync(join(work, 'root'), folder);
  rmSync(work, { recursive: true });
  return folder;
}

/** Options that make apt know one release, apart from what this host is set up for. */
function openRelease(release: string): readonly string[] {
  const folder = join(CACHE, `apt-${release}`);
  for (const part of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(folder, part), { recursive: true });
  const suites = sitesOf().map((site) => `${site} ${release}${site.endsWith('-security') ? '-security' : ''} main`);
  writeFileSync(join(folder, 'sources.list'), suites.map((suite) => `deb [signed-by=${KEYRING}] ${suite}\n`).join(''));
  const settings = { 'Dir::Etc::sourcelist': join(folder, 'sources.list'), 'Dir::Etc::sourceparts': '-', 'Dir::State::lists': join(folder, 'lists'), 'Dir::Cache': join(folder, 'cache'), 'APT::Sandbox::User': 'root' };
  const words = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  run('apt-get', [...words, 'update', '-q'], folder);
  return words;
}

/** Where this host has its own packages from: the other releases are there too. */
function sitesOf(): readonly string[] {
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', '$(SITE)'], { encoding: 'utf8' });
  const sites = [...new Set(stdout.split('\n').filter((line) => line !== ''))];
  if (sites.length === 0) throw new Error('apt-get knows no sources of packages on this host');
  return sites;
}

function contentOf(apt: readonly string[], name: string): string {
  const { stdout } = spawnSync('apt-cache', [...apt, 'depends', name], { encoding: 'utf8' });
  return name.startsWith('linux-image-') ? (/Depends: (linux-image-\S+)/.exec(stdout)?.[1] ?? name) : name;
}

function run(program: string, words: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync(program, words, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}`);
}
