// A kernel without a part that we need says which; in a machine of its own, since modules are taken away from it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, renameSync } from 'node:fs';
import { test } from 'node:test';
import { checkNode } from '../../src/kernel/check-node.ts';
import { detectKernel, type KernelSupport } from '../../src/kernel/detect-kernel.ts';
import { KERNEL_FEATURES } from '../../src/kernel/kernel-features.ts';
import { loadLibc } from '../../src/kernel/libc.ts';
import { inNamespace } from '../../src/kernel/network-namespace.ts';
import { inEmptyNamespace } from '../kernel/in-empty-namespace.ts';

/** The machine says so itself: on a host these would take away what others use. */
const isOwnMachine = process.env['BULKHEAD_MACHINE'] === '1';
if (!isOwnMachine) test('a kernel without a part that we need', { skip: 'takes modules of the kernel away: `npm run test:kernels` has machines for that' }, () => undefined);
else defineTests();

function defineTests(): void {
  for (const module of ['nft_ct', 'nft_reject_inet']) {
    test(`without ${module}: what is missing is named, and there again it is taken`, async () => {
      const { name, since } = KERNEL_FEATURES.find((feature) => feature.module === module)!;
      const support = await withoutModule(module, detectAnew);
      assert.ok(!support.canEnforce, 'it was there');
      assert.equal(support.reason, `this kernel lacks ${name} (Linux ${since} and newer)`);
      assert.match(support.remedy, new RegExp(`modprobe.* ${module} `));
      assert.ok(detectKernel().canEnforce);
    });
  }

  test('without nf_conntrack_netlink: that is named, and nothing is claimed', async () => {
    const support = await withoutModule('nf_conntrack_netlink', detectAnew);
    assert.ok(!support.canEnforce, 'it was there');
    assert.equal(support.reason, 'this kernel lacks marks of connections over netlink');
    assert.match(support.remedy, /nf_conntrack_netlink/);
    assert.ok(detectKernel().canEnforce);
  });

  inEmptyNamespace('without br_netfilter: a bridge of pods is not filtered, for both families', (namespace) => {
    spawnSync('rmmod', ['br_netfilter']);
    try {
      inNamespace(namespace, () => spawnSync('ip', ['-b', '-'], { input: 'link add cni0 type bridge\nlink add veth0 type veth peer name peer0\nlink set veth0 master cni0\n' }));
      assert.deepEqual(checkNode({ namespace }).map(({ code, reason, remedy }) => [code, reason.split(': ').at(-1), remedy.split(',')[0]]), [4, 6].map(() => ['bridge-unfiltered', 'the module br_netfilter is not loaded', '`modprobe br_netfilter`']));
    } finally {
      spawnSync('modprobe', ['br_netfilter']);
    }
  });

  inEmptyNamespace('a Service in IPVS is fatal also where kube-proxy left no device', (namespace) => {
    assert.equal(spawnSync('modprobe', ['-a', 'ip_vs', 'ip_vs_rr']).status, 0);
    assert.deepEqual(checkNode({ namespace }), [], 'the module alone is nobody\'s Service');
    inNamespace(namespace, () => {
      const libc = loadLibc();
      const fd = libc.socket(2, 3, 255);
      const service = ipvsService();
      assert.equal(libc.setsockopt(fd, 0, IP_VS_SO_SET_ADD, service, service.length), 0, `errno ${libc.errno()}`);
      libc.close(fd);
    });
    assert.deepEqual(checkNode({ namespace }).map(({ code, isFatal }) => ({ code, isFatal })), [{ code: 'ipvs', isFatal: true }]);
  });
}

/** A namespace that uses it goes a moment after the last process that was in it. */
const UNLOADED_WITHIN_MS = 20_000;

async function withoutModule<Result>(name: string, run: () => Result): Promise<Result> {
  const [file] = globSync(`/lib/modules/*/**/${name}.ko*`) as [string];
  renameSync(file, `${file}.away`);
  try {
    const started = performance.now();
    while (spawnSync('rmmod', [name], { encoding: 'utf8' }).stderr.includes('in use') && performance.now() - started < UNLOADED_WITHIN_MS) await new Promise((done) => setTimeout(done, 200));
    return run();
  } finally {
    renameSync(`${file}.away`, file);
  }
}

/** In a process of its own: who has made the table once knows how and does not try again. */
function detectAnew(): KernelSupport {
  const { stdout, ...ended } = spawnSync(process.execPath, ['--input-type=module', '-e', `import { detectKernel } from '${import.meta.resolve('../../src/kernel/detect-kernel.ts')}'; console.log(JSON.stringify(detectKernel()))`], { encoding: 'utf8' });
  assert.notEqual(stdout, '', JSON.stringify(ended));
  return JSON.parse(stdout) as KernelSupport;
}

/** linux/ip_vs.h: `struct ip_vs_service_user` of TCP 10.96.0.1:80, scheduled round robin. */
function ipvsService(): Buffer {
  const service = Buffer.alloc(44);
  service.writeUInt16LE(6, 0);
  Buffer.from([10, 96, 0, 1, 0, 80]).copy(service, 4);
  service.write('rr', 16);
  service.writeUInt32LE(0xffffffff, 40);
  return service;
}

/** linux/ip_vs.h. */
const IP_VS_SO_SET_ADD = 1154;
