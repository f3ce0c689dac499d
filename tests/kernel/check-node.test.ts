// What on a node keeps policy from being enforced is found, and only that.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { checkNode } from '../../src/kernel/check-node.ts';
import { loadNft } from '../../src/kernel/internal/run-nft.ts';
import { inNamespace, type NamespaceFd } from '../../src/kernel/network-namespace.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import { inEmptyNamespace } from './in-empty-namespace.ts';

function runIn(namespace: NamespaceFd, program: string, words: string, input = ''): void {
  const ran = inNamespace(namespace, () => spawnSync(program, words.split(' '), { input, encoding: 'utf8', env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` } }));
  assert.equal(ran.status, 0, ran.stderr);
}

function codesOf(namespace: NamespaceFd, markMask?: number): string[] {
  return checkNode({ namespace, ...(markMask === undefined ? {} : { markMask }) }).map(({ code, isFatal }) => `${code}${isFatal ? ' fatal' : ''}`);
}

inEmptyNamespace('an empty node, and one with our own table, has nothing in the way', (namespace) => {
  assert.deepEqual(codesOf(namespace), []);
  const firewall = openFirewall({ namespace });
  firewall.load([]);
  firewall.close();
  assert.deepEqual(codesOf(namespace), []);
});

inEmptyNamespace('IPVS is fatal', (namespace) => {
  runIn(namespace, 'ip', 'link add kube-ipvs0 type veth peer name x');
  assert.deepEqual(codesOf(namespace), ['ipvs fatal']);
});

function writeBridgeSetting(namespace: NamespaceFd, file: string, value: string): void {
  inNamespace(namespace, () => writeFileSync(`/proc/sys/net/bridge/bridge-nf-call-${file}`, value));
}

inEmptyNamespace('a bridge of pods needs br_netfilter for each family, by namespace or by bridge', (namespace) => {
  runIn(namespace, 'ip', '-b -', 'link add cni0 type bridge\nlink add veth0 type veth peer name peer0\n');
  for (const file of ['iptables', 'ip6tables']) writeBridgeSetting(namespace, file, '0');
  assert.deepEqual(codesOf(namespace), [], 'a bridge without pods needs nothing');
  runIn(namespace, 'ip', 'link set veth0 master cni0');
  const found = checkNode({ namespace });
  assert.deepEqual(found.map(({ code }) => code), ['bridge-unfiltered', 'bridge-unfiltered']);
  assert.match(found[0]!.reason, /^IPv4 .*`cni0`.*`net.bridge.bridge-nf-call-iptables` is 0$/);
  assert.match(found[0]!.remedy, /`sysctl -w net.bridge.bridge-nf-call-iptables=1`/);
  writeBridgeSetting(namespace, 'iptables', '1');
  assert.deepEqual(codesOf(namespace), ['bridge-unfiltered']);
  runIn(namespace, 'ip', 'link set cni0 type bridge nf_call_ip6tables 1');
  assert.deepEqual(codesOf(namespace), []);
});

// Rules that write the mark, and the bits of it that they may change.
const MARKS: readonly { readonly wanted: number; readonly rule: string }[] = [
  { wanted: 0x80, rule: 'ct mark set ct mark or 0x80' },
  { wanted: 0x00070000, rule: 'ct mark set ct mark and 0xfff8ffff or 0x00010000' },
  { wanted: 0xffffffff, rule: 'ct mark set 0x1' },
  { wanted: 0xffffffff, rule: 'ct mark set meta mark' },
  { wanted: 0xffffffff, rule: 'ct mark set meta mark and 0x80' },
  { wanted: 0, rule: 'meta mark set ct mark' },
  { wanted: 0, rule: 'ct mark and 0x7f == 0x1 accept' },
];

for (const { wanted, rule } of MARKS) {
  inEmptyNamespace(`bits 0x${wanted.toString(16)} are written by: ${rule}`, (namespace) => {
    loadNft(`table ip theirs { chain marks { type filter hook prerouting priority 0; ${rule}; }; }\n`, { namespace, doing: 'load a rule of others' });
    for (const mask of [0x7f, 0x80 * 3, 0x30000]) assert.deepEqual(codesOf(namespace, mask), (wanted & mask) === 0 ? [] : ['mark-taken'], `mask 0x${mask.toString(16)}`);
  });
}

inEmptyNamespace('iptables over nftables writes marks too', (namespace) => {
  runIn(namespace, 'iptables-nft', '-t mangle -A PREROUTING -j CONNMARK --set-xmark 0x80/0x80');
  assert.deepEqual([codesOf(namespace), codesOf(namespace, 0x180)], [[], ['mark-taken']]);
  runIn(namespace, 'iptables-nft', '-t mangle -A PREROUTING -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff');
  assert.deepEqual(codesOf(namespace), []);
  runIn(namespace, 'iptables-nft', '-t mangle -A PREROUTING -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff');
  assert.deepEqual(codesOf(namespace), ['mark-taken']);
  assert.match(checkNode({ namespace })[0]!.reason, /`ip mangle PREROUTING`/);
}, 'iptables');

// What others do to forwarded packets, and who is named for it; undefined: nobody, since it cannot drop what a policy may allow.
const DROPS: readonly { readonly wanted: string | undefined; readonly program: string; readonly words: readonly string[] }[] = [
  { wanted: 'iptables-legacy filter FORWARD', program: 'iptables-legacy', words: ['-P FORWARD DROP'] },
  { wanted: 'ip6tables-legacy filter FORWARD', program: 'ip6tables-legacy', words: ['-P FORWARD DROP'] },
  { wanted: 'iptables-legacy filter FORWARD', program: 'iptables-legacy', words: ['-A FORWARD -s 10.0.0.0/8 -j DROP'] },
  { wanted: 'ip6tables-legacy filter FORWARD', program: 'ip6tables-legacy', words: ['-A FORWARD -p tcp -j REJECT'] },
  { wanted: 'iptables-legacy filter FORWARD', program: 'iptables-legacy', words: ['-N THEIRS', '-A THEIRS -s 192.0.2.0/24 -j RETURN', '-A THEIRS -m comment --comment closed -j DROP', '-A FORWARD -j THEIRS'] },
  { wanted: undefined, program: 'iptables-legacy', words: ['-A FORWARD -m conntrack --ctstate INVALID -j DROP', '-P INPUT DROP', '-A OUTPUT -j DROP', '-N UNUSED', '-A UNUSED -j DROP'] },
  { wanted: undefined, program: 'iptables-legacy', words: ['-N THEIRS', '-A THEIRS -j ACCEPT', '-N LATER', '-A LATER -j DROP', '-A FORWARD -j THEIRS'] },
  { wanted: 'ip filter FORWARD', program: 'iptables-nft', words: ['-P FORWARD DROP'] },
  { wanted: undefined, program: 'iptables-nft', words: ['-P INPUT DROP'] },
];

for (const { wanted, program, words } of DROPS) {
  inEmptyNamespace(`${program} ${words.join(', ')}: ${wanted === undefined ? 'drops nothing that a policy may allow' : 'drops what is forwarded'}`, (namespace) => {
    for (const line of words) runIn(namespace, program, line);
    const found = checkNode({ namespace });
    assert.deepEqual(found.map(({ code, isFatal }) => ({ code, isFatal })), wanted === undefined ? [] : [{ code: 'forward-dropped', isFatal: false }]);
    if (wanted !== undefined) assert.ok(found[0]!.reason.endsWith(`: chain \`${wanted}\``), found[0]!.reason);
  }, 'iptables');
}

inEmptyNamespace('a chain of nftables that drops by its policy is named; ours, and those at other hooks, are not', (namespace) => {
  const firewall = openFirewall({ namespace });
  firewall.load([]);
  firewall.close();
  const chain = (name: string, hook: string): string => `chain ${name} { type filter hook ${hook} priority 5; policy drop; };`;
  loadNft(`table inet theirs { ${chain('closed', 'forward')} ${chain('own', 'input')} }\n`, { namespace, doing: 'load a table of others' });
  assert.deepEqual(checkNode({ namespace }).map(({ reason }) => reason.split(': ').at(-1)), ['chain `inet theirs closed`']);
});

inEmptyNamespace('the old iptables writes marks too', (namespace) => {
  runIn(namespace, 'iptables-legacy', '-t mangle -A PREROUTING -j CONNMARK --set-xmark 0x80/0x80');
  assert.deepEqual([codesOf(namespace), codesOf(namespace, 0x180)], [[], ['mark-taken']]);
  runIn(namespace, 'ip6tables-legacy', '-t mangle -A PREROUTING -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff');
  assert.match(checkNode({ namespace })[0]!.reason, /chain `ip6tables-legacy mangle`$/);
}, 'iptables');
