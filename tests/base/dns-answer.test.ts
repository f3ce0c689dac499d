// What is read from an answer of DNS; a second reader of DNS writes the answers, and bytes at random are read without harm.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, type Answer, type Packet } from 'dns-packet';
import fc from 'fast-check';
import { readDnsAnswer, RECORDS_MAX, type DnsAnswer } from '../../src/base/dns-answer.ts';
import { formatIpAddress } from '../../src/base/ip-address.ts';

const ANSWER: Packet = { type: 'response', id: 7, flags: 0x180, questions: [{ type: 'A', name: 'www.example.org' }] };
const a = (name: string, data: string, ttl = 300): Answer => ({ type: 'A', name, ttl, data });
const alias = (name: string, data: string, ttl = 300): Answer => ({ type: 'CNAME', name, ttl, data });

function read(packet: Packet): string | undefined {
  const answer = readDnsAnswer(encode(packet));
  return answer === undefined ? undefined : textOf(answer);
}

function textOf({ name, addresses, isCutShort }: DnsAnswer): string {
  return `${name}: ${addresses.map(({ address, ttlSeconds }) => `${formatIpAddress(address)} ${ttlSeconds}`).join(', ')}${isCutShort ? ' …' : ''}`;
}

function check(name: string, packet: Packet, wanted: string | undefined): void {
  test(name, () => assert.equal(read(packet), wanted));
}

// --- Names, and the chain of aliases

check('an address', { ...ANSWER, answers: [a('www.example.org', '192.0.2.1')] }, 'www.example.org: 192.0.2.1 300');
check('several, each with its time', { ...ANSWER, answers: [a('www.example.org', '192.0.2.1', 5), a('www.example.org', '192.0.2.2', 0)] }, 'www.example.org: 192.0.2.1 5, 192.0.2.2 0');
check('case is nothing to DNS', { ...ANSWER, answers: [a('WWW.Example.ORG', '192.0.2.1')] }, 'www.example.org: 192.0.2.1 300');
check('a chain is as old as its shortest link', { ...ANSWER, answers: [alias('www.example.org', 'a.cdn.net', 20), alias('a.cdn.net', 'b.cdn.net', 90), a('b.cdn.net', '192.0.2.1', 60)] }, 'www.example.org: 192.0.2.1 20');
check('its links stand in any order', { ...ANSWER, answers: [a('b.cdn.net', '192.0.2.1', 60), alias('a.cdn.net', 'b.cdn.net', 90), alias('www.example.org', 'a.cdn.net', 20)] }, 'www.example.org: 192.0.2.1 20');
check('addresses of other names are none of this one', { ...ANSWER, answers: [a('evil.example.net', '192.0.2.9'), alias('evil.example.net', 'www.example.org')] }, 'www.example.org: ');
check('records of the other family neither', { ...ANSWER, answers: [{ type: 'AAAA', name: 'www.example.org', ttl: 9, data: '2001:db8::1' }] }, 'www.example.org: ');
check('IPv6', { ...ANSWER, questions: [{ type: 'AAAA', name: 'www.example.org' }], answers: [{ type: 'AAAA', name: 'www.example.org', ttl: 9, data: '2001:db8::1' }] }, 'www.example.org: 2001:db8::1 9');
check('a chain in a ring', { ...ANSWER, answers: [alias('www.example.org', 'a.cdn.net'), alias('a.cdn.net', 'www.example.org'), a('a.cdn.net', '192.0.2.1')] }, undefined);
check('two aliases of one name', { ...ANSWER, answers: [alias('www.example.org', 'a.cdn.net'), alias('www.example.org', 'b.cdn.net')] }, undefined);
check('a chain without end', { ...ANSWER, answers: Array.from({ length: 20 }, (_, link) => alias(link === 0 ? 'www.example.org' : `${link}.cdn.net`, `${link + 1}.cdn.net`)) }, undefined);
check('other records stand beside', { ...ANSWER, answers: [{ type: 'TXT', name: 'www.example.org', ttl: 9, data: 'A 192.0.2.9' }, a('www.example.org', '192.0.2.1')], additionals: [a('www.example.org', '192.0.2.8')] }, 'www.example.org: 192.0.2.1 300');
check('of a message cut short what is there', { ...ANSWER, flags: 0x380, answers: [a('www.example.org', '192.0.2.1')] }, 'www.example.org: 192.0.2.1 300 …');

// --- What is no answer to a question for addresses

check('a question', { ...ANSWER, type: 'query', answers: [a('www.example.org', '192.0.2.1')] }, undefined);
check('an error', { ...ANSWER, flags: 0x183, answers: [a('www.example.org', '192.0.2.1')] }, undefined);
check('of another kind of message', { ...ANSWER, flags: 0x2980, answers: [a('www.example.org', '192.0.2.1')] }, undefined);
check('two questions', { ...ANSWER, questions: [...ANSWER.questions!, { type: 'A', name: 'evil.example.net' }], answers: [a('www.example.org', '192.0.2.1')] }, undefined);
check('no question', { ...ANSWER, questions: [], answers: [a('www.example.org', '192.0.2.1')] }, undefined);
check('a question for something else', { ...ANSWER, questions: [{ type: 'ANY' as 'A', name: 'www.example.org' }], answers: [a('www.example.org', '192.0.2.1')] }, undefined);
check('more records than anybody has', { ...ANSWER, answers: Array.from({ length: RECORDS_MAX + 1 }, (_, host) => a('www.example.org', `192.0.${host >> 8}.${host & 255}`)) }, undefined);

// --- Bytes that nobody should send

const HEAD = [0, 7, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
const QUESTION = [3, 0x77, 0x77, 0x77, 1, 0x78, 0, 0, 1, 0, 1];
const RECORD = [0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 1];

function checkBytes(name: string, bytes: readonly number[], wanted: string | undefined): void {
  test(name, () => {
    const answer = readDnsAnswer(Uint8Array.from(bytes));
    assert.equal(answer === undefined ? undefined : textOf(answer), wanted);
  });
}

checkBytes('a name that points back', [...HEAD, ...QUESTION, 0xc0, 12, ...RECORD], 'www.x: 192.0.2.1 9');
checkBytes('a name that points at itself', [...HEAD, ...QUESTION, 0xc0, HEAD.length + QUESTION.length, ...RECORD], undefined);
checkBytes('a question that points at itself', [...HEAD, 0xc0, 12, 0, 1, 0, 1, 0xc0, 12, ...RECORD], undefined);
checkBytes('a name that points forward', [...HEAD, ...QUESTION, 0xc0, 40, ...RECORD, 1, 0x78, 0], undefined);
checkBytes('labels that lead to their own pointer', [...HEAD, ...QUESTION, 1, 0x78, 0xc0, 23, ...RECORD], undefined);
checkBytes('a length with bits that mean nothing', [...HEAD, ...QUESTION, 0x80, 12, ...RECORD], undefined);
checkBytes('an address of three bytes', [...HEAD, ...QUESTION, 0xc0, 12, ...RECORD.slice(0, 9), 3, 192, 0, 2], undefined);
checkBytes('a record behind the end', [...HEAD, ...QUESTION, 0xc0, 12, ...RECORD.slice(0, -1)], undefined);
checkBytes('the same of a message cut short', [...HEAD.slice(0, 2), 0x83, ...HEAD.slice(3), ...QUESTION, 0xc0, 12, ...RECORD.slice(0, -1)], 'www.x:  …');
checkBytes('a time with its first bit set', [...HEAD, ...QUESTION, 0xc0, 12, 0, 1, 0, 1, 0xff, 0, 0, 9, 0, 4, 192, 0, 2, 1], 'www.x: 192.0.2.1 0');
checkBytes('a dot inside a label is no end of it', [...HEAD, 5, 0x77, 0x2e, 0x78, 0x2e, 0x79, 0, 0, 1, 0, 1, 0xc0, 12, ...RECORD], 'w\\046x\\046y: 192.0.2.1 9');
checkBytes('nothing at all', [], undefined);

test('a name longer than names are', () => {
  const label = [63, ...new Array<number>(63).fill(0x61)];
  const long = [...label, ...label, ...label, ...label, 0];
  assert.equal(readDnsAnswer(Uint8Array.from([...HEAD, ...long, 0, 1, 0, 1, 0xc0, 12, ...RECORD])), undefined);
  const whole = [...label, ...label, ...label, 61, ...new Array<number>(61).fill(0x61), 0];
  assert.equal(readDnsAnswer(Uint8Array.from([...HEAD, ...whole, 0, 1, 0, 1, 0xc0, 12, ...RECORD]))?.addresses.length, 1);
});

// --- At random

const seed = process.env['BULKHEAD_SEED'];
const RUNS = { numRuns: process.env['BULKHEAD_NIGHTLY'] === '1' ? 200_000 : 3_000, ...(seed === undefined ? {} : { seed: Number(seed) }) };
const names = fc.constantFrom('www.example.org', 'a.cdn.net', 'b.cdn.net', 'example.org');
const records = fc.array(fc.oneof(
  fc.tuple(names, fc.ipV4()).map(([name, data]) => a(name, data)),
  fc.tuple(names, names).map(([name, data]) => alias(name, data)),
), { maxLength: 6 });

test('random records: what a slow reader finds', () => {
  fc.assert(fc.property(records, (answers) => {
    const found = readDnsAnswer(encode({ ...ANSWER, answers }))?.addresses.map(({ address }) => formatIpAddress(address));
    assert.deepEqual(found, slowlyFollowed(answers));
  }), RUNS);
});

function slowlyFollowed(answers: readonly Answer[]): readonly string[] | undefined {
  const of = (type: string, name: string): string[] => answers.flatMap((answer) => (answer.type === type && 'name' in answer && answer.name === name && 'data' in answer ? [String(answer.data)] : []));
  const visited = new Set<string>();
  for (let name = 'www.example.org'; !visited.has(name); ) {
    visited.add(name);
    const aliases = new Set(of('CNAME', name));
    if (aliases.size > 1) return undefined;
    if (aliases.size === 0) return of('A', name);
    name = [...aliases][0]!;
  }
  return undefined;
}

test('good answers with bytes changed, cut or added: never more than a tolerant reader finds', () => {
  const hand = fc.record({ at: fc.nat(400), byte: fc.integer({ min: 0, max: 255 }) });
  fc.assert(fc.property(records, fc.array(hand, { maxLength: 4 }), fc.nat(400), (answers, hands, length) => {
    const bytes = Buffer.concat([encode({ ...ANSWER, answers }), Buffer.alloc(8)]);
    for (const { at, byte } of hands) bytes[at % bytes.length] = byte;
    const message = bytes.subarray(0, length % 3 === 0 ? length : bytes.length);
    const found = readDnsAnswer(message)?.addresses ?? [];
    if (found.length === 0) return;
    const other = decodeSome(message);
    if (other === undefined) return;
    for (const { address } of found) assert.ok(other.has(formatIpAddress(address)), formatIpAddress(address));
  }), RUNS);
});

/** Every address in the message; undefined where the other reader gives up. */
function decodeSome(message: Buffer): ReadonlySet<string> | undefined {
  try {
    const { answers = [] } = decode(message);
    return new Set(answers.flatMap((answer) => (answer.type === 'A' || answer.type === 'AAAA' ? [answer.data] : [])));
  } catch {
    return undefined;
  }
}

test('any bytes at all are read without harm', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
    readDnsAnswer(bytes);
    readDnsAnswer(Uint8Array.from([...HEAD, ...bytes]));
  }), RUNS);
});
