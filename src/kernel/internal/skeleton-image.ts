// The chains and sets of our table as the kernel gives them back: what nft made of the text, written again without nft, and compared with what stands there.
import { isGenerationChain, withoutGeneration } from './generation.ts';
import { FAMILY_INET, NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REQUEST, SUBSYSTEM_NFTABLES, visitAttributes, type Message } from './netfilter-message.ts';
import type { NetfilterSocket } from './netfilter-socket.ts';
import type { BatchMessage } from './transact.ts';

/** In the order in which objects are written: what is named stands before what names it. */
export type SkeletonImage = readonly ImageObject[];

/** `attributes` lack the table's name, handles and counts, so that those of equal objects are equal. */
export interface ImageObject {
  readonly kind: ObjectKind;
  /** Of a set or chain its own name, of a rule its chain's. */
  readonly name: string;
  /** A base chain, to which packets come. */
  readonly isHook: boolean;
  readonly attributes: Buffer;
}

type ObjectKind = 'set' | 'chain' | 'rule';

interface ObjectCodec {
  readonly newType: number;
  readonly getType: number;
  readonly nameAttribute: number;
  /** What is kept of a dump: what the object is, not where it stands or what it counted. */
  readonly kept: ReadonlySet<number>;
}

// linux/netfilter/nf_tables.h; the table's name is attribute 1 of every object.
const TABLE_ATTRIBUTE = 1;
const NFTA_SET_ID = 10;
const NFTA_CHAIN_HOOK = 4;
const CODECS: Readonly<Record<ObjectKind, ObjectCodec>> = {
  set: { newType: 9, getType: 10, nameAttribute: 2, kept: new Set([2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 17, 18]) },
  chain: { newType: 3, getType: 4, nameAttribute: 3, kept: new Set([3, NFTA_CHAIN_HOOK, 5, 7, 12]) },
  rule: { newType: 6, getType: 7, nameAttribute: 2, kept: new Set([2, 4, 7]) },
};
const KINDS: readonly ObjectKind[] = ['set', 'chain', 'rule'];

/** Everything in the table but elements. `mark` is the generation in its bits, which is left out of the rules. */
export function readImage(socket: NetfilterSocket, table: string, mark: number): SkeletonImage {
  const objects = KINDS.flatMap((kind) => readObjects(socket, table, kind));
  return objects.map((object) => (object.kind === 'rule' && isGenerationChain(object.name) ? { ...object, attributes: withoutGeneration(object.attributes, mark) } : object));
}

/** Names of the base chains that a table has. */
export function readHooks(socket: NetfilterSocket, table: string): string[] {
  return readObjects(socket, table, 'chain').flatMap(({ isHook, name }) => (isHook ? [name] : []));
}

/** What of the table is not as wanted, one phrase each; empty when all is. */
export function compareImages(wanted: SkeletonImage, found: SkeletonImage): string[] {
  const [there, here] = [textsByName(wanted), textsByName(found)];
  return [...new Set([...there.keys(), ...here.keys()])].flatMap((name) => {
    if (there.get(name) === here.get(name)) return [];
    return [here.has(name) ? `${name} ${there.has(name) ? 'changed' : 'added'}` : `${name} removed`];
  });
}

/** Rules of one chain are one text: their order matters. */
function textsByName(image: SkeletonImage): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { kind, name, attributes } of image) {
    const key = kind === 'rule' ? `rules of chain ${name}` : `${kind} ${name}`;
    texts.set(key, `${texts.get(key) ?? ''}${attributes.toString('latin1')}`);
  }
  return texts;
}

/** Sets, chains and rules but for base chains and the rules of the generation; no packet comes here yet. */
export function fillMessages(image: SkeletonImage, table: string): BatchMessage[] {
  const sets = image.filter(({ kind }) => kind === 'set');
  const idOf = new Map(sets.map(({ name }, index) => [name, index + 1]));
  return image
    .filter((object) => !isOfHook(image, object) && !(object.kind === 'rule' && isGenerationChain(object.name)))
    .map((object) => newObject(object, table, object.kind === 'set' ? idOf.get(object.name) : undefined));
}

/** The base chains with their rules: what puts a table in force. */
export function hookMessages(image: SkeletonImage, table: string): BatchMessage[] {
  return image.filter((object) => isOfHook(image, object)).map((object) => newObject(object, table));
}

function isOfHook(image: SkeletonImage, { kind, name }: ImageObject): boolean {
  return kind !== 'set' && image.some((other) => other.isHook && other.name === name);
}

function newObject({ kind, attributes }: ImageObject, table: string, setId?: number): BatchMessage {
  const position = kind === 'rule' ? NLM_F_APPEND : NLM_F_EXCL;
  return (message, writer) =>
    message(CODECS[kind].newType, NLM_F_REQUEST | NLM_F_CREATE | position, () => {
      writer.text(TABLE_ATTRIBUTE, table);
      writer.raw(attributes);
      if (setId !== undefined) writer.number(NFTA_SET_ID, setId);
    });
}

function readObjects(socket: NetfilterSocket, table: string, kind: ObjectKind): ImageObject[] {
  return socket.dump<ImageObject>(
    { subsystem: SUBSYSTEM_NFTABLES, type: CODECS[kind].getType, family: FAMILY_INET },
    {
      doing: `read each ${kind} of table \`${table}\``,
      // Chains of all tables come, whatever is asked for.
      body: (writer) => kind !== 'chain' && writer.text(TABLE_ATTRIBUTE, table),
      parse: (message, objects) => {
        const object = readObject(message, table, kind);
        if (object !== undefined) objects.push(object);
      },
    },
  );
}

function readObject({ bytes, start, end }: Message, table: string, kind: ObjectKind): ImageObject | undefined {
  const { nameAttribute, kept } = CODECS[kind];
  let isOurs = false;
  let name = '';
  let isHook = false;
  const parts: Buffer[] = [];
  visitAttributes(bytes, start, end, (type, from, until) => {
    if (type === TABLE_ATTRIBUTE) isOurs = bytes.toString('latin1', from, until - 1) === table;
    if (type === nameAttribute) name = bytes.toString('latin1', from, until - 1);
    if (kind === 'chain' && type === NFTA_CHAIN_HOOK) isHook = true;
    if (kept.has(type)) parts.push(copyAttribute(bytes, from, until));
  });
  return isOurs ? { kind, name, isHook, attributes: Buffer.concat(parts) } : undefined;
}

/** With the header as it stands, padded. */
function copyAttribute(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.alloc((end - start + 4 + 3) & ~3);
  bytes.copy(copy, 0, start - 4, end);
  return copy;
}
