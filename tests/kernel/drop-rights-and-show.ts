// Started by a test: drops its rights as the words say, loads rules by netlink and by nft, and prints what is left as JSON.
import { existsSync } from 'node:fs';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import { dropRights, readThreadRights, type Capability } from '../../src/kernel/process-rights.ts';

dropRights(process.argv.slice(2) as Capability[]); // the test gives names of capabilities
const firewall = openFirewall({ table: 'bulkhead_rights' });
firewall.load([]);
firewall.read();
firewall.remove();
firewall.close();
const masks = readThreadRights().map(({ effective, permitted, inheritable, bounding, ambient, isNoNewPrivileges }) => ({ held: (effective | permitted | inheritable | bounding | ambient).toString(16), effective: effective.toString(16), isNoNewPrivileges }));
process.stdout.write(JSON.stringify({ masks, words: process.argv.slice(2), isLinux: existsSync('/proc/self') }));
