// Connections that were cut lately: their next packet is reset before address translation, where the answer of the forward hook goes past it.

/**
 * Behind conntrack (-200) and before dstnat (-100), where a packet still carries the address that its sender knows. In the
 * forward hook the kernel answers a packet of a bridge by a frame that passes no translation (`nf_send_reset`).
 */
export const CUT_HOOK_PRIORITY = -199;

/** Longer than TCP waits before it sends again: 120 s at most (TCP_RTO_MAX). */
const CUT_SECONDS = 180;

/** At the bound a connection is cut all the same; whoever sits behind a bridge may hear nothing of it. */
const CUT_MAX = 65_535;

/** Those that were not translated have been told by the first answer. */
const TRANSLATED = 'ct status snat,dnat tcp flags & (syn | rst) == 0x0';

/** By conntrack's own number, so that another connection between the same ports is none of these. */
export const CUT_SET: string = `  # translated connections that were cut lately\n  set cut_lately { typeof ct id; size ${CUT_MAX}; flags dynamic,timeout; timeout ${CUT_SECONDS}s; }\n`;

/** No verdict: a full set ends this rule alone. Only what was open gets in, so that nobody fills the set by what is refused. */
export const REMEMBER_CUT: string = `ct state established ${TRANSLATED} update @cut_lately { ct id }`;

/** `unjudged` compares the mark: whoever was let through carries a generation, and costs no more than that. */
export function resetCut(unjudged: string): string {
  return `${unjudged} ${TRANSLATED} ct id @cut_lately reject with tcp reset`;
}
