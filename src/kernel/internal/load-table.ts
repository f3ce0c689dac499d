// Writes our table: its chains and sets from an image that nft made once, then the base chains that put it in force.
import { constants } from 'node:os';
import { FirewallError } from '../firewall-error.ts';
import { loadLibc } from '../libc.ts';
import type { NamespaceFd } from '../network-namespace.ts';
import { markOf } from '../generation-number.ts';
import { explainMissing, findMissingFeatures } from '../kernel-features.ts';
import { writeGeneration, writeGenerationRules, type Generation } from './generation.ts';
import { MessageWriter, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST } from './netfilter-message.ts';
import type { NetfilterSocket } from './netfilter-socket.ts';
import { loadNft } from './run-nft.ts';
import { hookText, skeletonText } from './skeleton.ts';
import { fillMessages, hookMessages, readHooks, readImage, type SkeletonImage } from './skeleton-image.ts';
import { NFT_MSG_NEWTABLE, NFTA_TABLE_FLAGS, NFTA_TABLE_NAME, removeTable } from './table.ts';
import { refusal, sendInBatches, type BatchMessage } from './transact.ts';

/** linux/netfilter/nf_tables.h; together since Linux 6.9: others cannot change the table, and it stays when we end. */
const TABLE_OWNED = 0x2;
const TABLE_PERSISTS = 0x4;

/** A table of this suffix is not in force at any time: nft writes it, and we read what came of it. */
export const DRAFT_SUFFIX = '_draft';

export interface ImageOptions {
  readonly namespace: NamespaceFd | undefined;
  readonly table: string;
  readonly deny: 'drop' | 'reject';
  readonly mask: number;
  /** Answers of DNS go there; nowhere when missing. */
  readonly answerGroup: number | undefined;
  /** New refusals ring it; none when missing. */
  readonly denialGroup: number | undefined;
}

const images = new Map<string, SkeletonImage>();

/** Some 50 ms for the first table of this process, nothing after. */
export function skeletonImage(socket: NetfilterSocket, options: ImageOptions): SkeletonImage {
  const key = `${options.deny} ${options.mask} ${options.answerGroup} ${options.denialGroup}`;
  let image = images.get(key);
  if (image === undefined) images.set(key, (image = draftImage(socket, options)));
  return image;
}

// One that a process before us left half-way goes first; one that its nft writes this very moment makes ours fail.
function draftImage(socket: NetfilterSocket, { namespace, table, deny, mask, answerGroup, denialGroup }: ImageOptions): SkeletonImage {
  const draft = `${table}${DRAFT_SUFFIX}`;
  const head = `table inet ${draft} {\n`;
  const blocks = skeletonText({ table: draft, deny, generation: 1, mask, answerGroup, denialGroup }) + hookText({ table: draft, mask, answerGroup });
  removeTable(socket, draft);
  try {
    // Linux 5.10 takes the half of a batch that makes a table and names a part it has not, and says that all went well.
    loadDraft(socket, draft, `create ${head}  flags dormant;\n}\n`, namespace);
    loadDraft(socket, draft, blocks.replaceAll(head, `${head}  flags dormant;\n`), namespace);
    writeGeneration(socket, draft, { generation: 1, mask });
    return readImage(socket, draft, markOf(1, mask));
  } finally {
    removeTable(socket, draft);
  }
}

/** Where the text is refused, it is found out whether the kernel lacks a part. */
function loadDraft(socket: NetfilterSocket, draft: string, text: string, namespace: NamespaceFd | undefined): void {
  const doing = `load the chains of table \`${draft.slice(0, -DRAFT_SUFFIX.length)}\``;
  try {
    loadNft(text, { namespace, doing });
  } catch (error) {
    if (!(error instanceof FirewallError) || error.code !== 'nft-refused') throw error;
    const missing = explainMissing(findMissingFeatures((feature) => isTaken(socket, draft, feature, namespace), draft));
    throw missing === undefined ? error : new FirewallError({ code: 'kernel-lacks', doing, said: `${missing.reason}; ${missing.remedy}`, cause: error });
  }
}

function isTaken(socket: NetfilterSocket, draft: string, text: string, namespace: NamespaceFd | undefined): boolean {
  try {
    loadNft(text, { namespace, doing: 'try what the kernel has' });
    return true;
  } catch (error) {
    if (error instanceof FirewallError) return false;
    throw error;
  } finally {
    removeTable(socket, draft);
  }
}

export interface TableOptions extends Generation {
  readonly table: string;
  readonly image: SkeletonImage;
  readonly bytesMax: number;
  readonly isOwned: boolean;
}

/** Fails where a table of this name is there: then another process writes it. */
export function createTable(socket: NetfilterSocket, { table, isOwned }: Pick<TableOptions, 'table' | 'isOwned'>): void {
  const doing = `make table \`${table}\``;
  for (const flags of isOwned ? [TABLE_OWNED | TABLE_PERSISTS, 0] : [0]) {
    const [refused] = sendInBatches(socket, [newTableMessage(table, flags)], { doing, bytesMax: Infinity });
    if (refused === undefined) return;
    if (flags !== 0 && isUnknownFlag(refused.errno)) continue;
    if (refused.errno === constants.errno.EEXIST) throw new FirewallError({ code: 'table-in-use', doing, said: 'another process makes it at the same time' });
    throw refusal(refused, doing);
  }
}

/** Takes a table that its owner left; gives false where the kernel does not know owners, or the table never had one. */
export function adoptTable(socket: NetfilterSocket, table: string): boolean {
  const doing = `take over table \`${table}\``;
  const [refused] = sendInBatches(socket, [newTableMessage(table, TABLE_OWNED | TABLE_PERSISTS, 0)], { doing, bytesMax: Infinity });
  if (refused === undefined) return true;
  if (isUnknownFlag(refused.errno)) return false;
  if (refused.errno === constants.errno.EPERM) throw new FirewallError({ code: 'table-in-use', doing, errno: refused.errno, said: 'another process owns it' });
  throw refusal(refused, doing);
}

/** Chains, sets and rules of a table that was made; no packet comes to it. */
export function fillTable(socket: NetfilterSocket, options: TableOptions): void {
  const doing = `load the chains of table \`${options.table}\``;
  const [refused] = sendInBatches(socket, tableMessages(options), { doing, bytesMax: options.bytesMax });
  if (refused !== undefined) throw refusal(refused, doing);
}

export function tableMessages({ table, image, generation, mask }: TableOptions): BatchMessage[] {
  return [...fillMessages(image, table), (message, writer) => writeGenerationRules(writer, message, { table, generation, mask })];
}

/** From here on the table judges. */
export function hookTable(socket: NetfilterSocket, { table, image }: Pick<TableOptions, 'table' | 'image'>): void {
  const doing = `put table \`${table}\` in force`;
  const [refused] = sendInBatches(socket, hookMessages(image, table), { doing, bytesMax: Infinity });
  if (refused !== undefined) throw refusal(refused, doing);
}

/** Longer than a packet is in the chains of a table, unless its processor stands still. */
const PACKET_MS = 10;

/**
 * Takes a table out of force, then away. In two turns: a packet on its way through the chains looks into sets, and finds
 * them empty the moment the table goes.
 */
export function retireTable(socket: NetfilterSocket, table: string): void {
  const doing = `take table \`${table}\` out of force`;
  const hooks = readHooks(socket, table);
  if (hooks.length > 0) {
    const [refused] = sendInBatches(socket, hooks.map((chain) => deleteChainMessage(table, chain)), { doing, bytesMax: Infinity });
    if (refused !== undefined) throw refusal(refused, doing);
    loadLibc().poll(NO_ENTRIES, 0, PACKET_MS);
  }
  removeTable(socket, table);
}

const NO_ENTRIES = Buffer.alloc(8);
const NFT_MSG_DELCHAIN = 5;
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;

function deleteChainMessage(table: string, chain: string): BatchMessage {
  return (message, writer) =>
    message(NFT_MSG_DELCHAIN, NLM_F_REQUEST, () => {
      writer.text(NFTA_CHAIN_TABLE, table);
      writer.text(NFTA_CHAIN_NAME, chain);
    });
}

function newTableMessage(table: string, flags: number, exclusive: number = NLM_F_EXCL): BatchMessage {
  return (message, writer: MessageWriter) =>
    message(NFT_MSG_NEWTABLE, NLM_F_REQUEST | NLM_F_CREATE | exclusive, () => {
      writer.text(NFTA_TABLE_NAME, table);
      writer.number(NFTA_TABLE_FLAGS, flags);
    });
}

// EINVAL up to Linux 5.11, EOPNOTSUPP since.
function isUnknownFlag(errno: number): boolean {
  return errno === constants.errno.EOPNOTSUPP || errno === constants.errno.EINVAL;
}
