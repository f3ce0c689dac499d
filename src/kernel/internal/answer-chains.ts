// The chains that hand answers of DNS to a log group: those that conntrack knows as replies to a pod's own question, from servers that are believed.
import type { IpFamily } from '../../base/ip-address.ts';
import { FAMILIES } from '../../emit/set-shape.ts';
import type { Chain } from './chain-text.ts';

/** Where the node's own cache of DNS answers by custom (NodeLocal DNSCache); what the node does not send itself is not believed for it. */
const NODE_LOCAL_DNS = '169.254.20.10';

/** Of one pod; a loop that asks without end takes nothing from its neighbors. */
const ANSWERS_PER_SECOND = 100;
const ANSWERS_AT_ONCE = 200;

/** More than an answer over UDP has: resolvers ask for 4,096 at most, and most for 1,232. */
export const ANSWER_BYTES_MAX = 4096;

/** What the prefix of a logged packet says: an answer to be read, or one that was not looked at. */
export const ANSWER_PREFIXES = { answer: 'answer', tooMany: 'too-many', strange: 'strange' } as const;

/** Only replies to questions over UDP to port 53; the number of the protocol, since a slim image has no names for them. */
const REPLIES = 'meta l4proto 17 ct direction reply ct original proto-dst 53';

/** First rules of base chains. They cost what is not UDP one comparison. */
export function answerHooks(): Readonly<Record<'forward' | 'output', readonly string[]>> {
  return { forward: [`${REPLIES} jump answers_forwarded`], output: ['meta l4proto 17 jump answers_of_node'] };
}

export function answerSets(): string {
  const set = (family: IpFamily): string => `  set asked${family} { type ipv${family}_addr; size 4096; flags dynamic,timeout; timeout 1m; }\n`;
  return `  # answers that pods got lately\n${FAMILIES.map(set).join('')}`;
}

export function answerChains(group: number): Chain[] {
  const tooMany = `limit rate 1/second burst 1 packets ${log(group, ANSWER_PREFIXES.tooMany, HEAD_BYTES)}`;
  return [{ name: 'too_many_answers', rules: [tooMany] }, ...FAMILIES.map((family) => logChain(group, family)), ...FAMILIES.map(believedChain), { name: 'answers_to_pods', rules: FAMILIES.map((family) => `meta nfproto ipv${family} goto believed_${family}`) }, forwardedChain(group), nodeChain()];
}

function ip(family: IpFamily): 'ip' | 'ip6' {
  return family === 4 ? 'ip' : 'ip6';
}

function log(group: number, prefix: string, bytes: number): string {
  return `log prefix "${prefix}" group ${group} snaplen ${bytes} queue-threshold 1`;
}

/** Enough for the addresses. */
const HEAD_BYTES = 64;

// No rule here gives a verdict. A full set counts nothing, and lets the answer be logged.
function logChain(group: number, family: IpFamily): Chain {
  const asked = `update @asked${family} { ${ip(family)} daddr limit rate over ${ANSWERS_PER_SECOND}/second burst ${ANSWERS_AT_ONCE} packets }`;
  return {
    name: `log_answer_${family}`,
    rules: [`${asked} goto too_many_answers`, log(group, ANSWER_PREFIXES.answer, ANSWER_BYTES_MAX)],
  };
}

/** By the address that the pod asked, where a Service leads on, or by the one that answered, whatever the pod asked. */
function believedChain(family: IpFamily): Chain {
  const to = `${ip(family)} daddr @ask${family}`;
  return {
    name: `believed_${family}`,
    rules: [`${to} ct original ${ip(family)} daddr @dnsvia${family} goto log_answer_${family}`, `${to} ct reply ${ip(family)} saddr @dnsat${family} goto log_answer_${family}`],
  };
}

// A packet that comes in where the way to its source does not go out was not sent by that source.
function forwardedChain(group: number): Chain {
  const strange = FAMILIES.map((family) => `${ip(family)} daddr @ask${family} fib saddr . iif oif missing limit rate 1/second burst 1 packets ${log(group, ANSWER_PREFIXES.strange, HEAD_BYTES)}`);
  return { name: 'answers_forwarded', rules: [...strange, 'fib saddr . iif oif missing return', 'goto answers_to_pods'] };
}

// What the node itself sends: of a server on its own network behind a Service, or of its cache, which is often kept out of conntrack.
function nodeChain(): Chain {
  const untracked = FAMILIES.flatMap((family) => (['dnsvia', 'dnsat'] as const).map((set) => `ct state untracked udp sport 53 ${ip(family)} saddr @${set}${family} ${ip(family)} daddr @ask${family} goto log_answer_${family}`));
  return {
    name: 'answers_of_node',
    rules: [...untracked, `udp sport 53 ip saddr ${NODE_LOCAL_DNS} ip daddr @ask4 goto log_answer_4`, `${REPLIES} jump answers_to_pods`],
  };
}
