// Sends bodies of JSON to a webhook: bounded in time and tries. Its address is a secret, and never part of what is said.
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { systemWords } from '../../input/list-inputs.ts';
import { UsageError } from '../../terminal/failures.ts';

/** For one try. */
const TRY_MS = 10_000;
const TRIES_MAX = 3;
/** Before the second try, and twice as long before the third. */
const PAUSE_MS = 1000;

export const WEBHOOK_VARIABLE = 'BULKHEAD_WEBHOOK';

export class WebhookError extends Error {
  readonly code = 'webhook-failed';

  constructor(reason: string) {
    super(`the webhook did not take it: ${reason}; nothing is kept as told`);
    this.name = 'WebhookError';
  }
}

/** From a file, else from the environment: what stands in the words of a command is seen by everybody on the host. Throws UsageError. */
export function webhookAddress(file: string | undefined): URL {
  const text = (file === undefined ? process.env[WEBHOOK_VARIABLE] : readSecret(file))?.trim();
  if (text === undefined || text === '') throw new UsageError('no webhook is named', `write its address into a file, and name that by --webhook-file, or set ${WEBHOOK_VARIABLE}`);
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) throw new UsageError('the webhook is no address of http or https', 'write the whole of it, https:// included');
  return url;
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read \`${file}\`: ${systemWords(error)}`);
  }
}

/** One after another. Fails with WebhookError at the first that is not taken. */
export async function sendWebhook(address: URL, bodies: readonly string[]): Promise<void> {
  for (const body of bodies) await sendBody(address, body);
}

async function sendBody(address: URL, body: string): Promise<void> {
  for (let tried = 1; ; tried++) {
    const answer = await tryOnce(address, body);
    if (answer.kind === 'taken') return;
    if (!answer.isWorthAnother || tried === TRIES_MAX) throw new WebhookError(answer.reason);
    await pause(PAUSE_MS * tried);
  }
}

type Answer = { readonly kind: 'taken' } | { readonly kind: 'refused'; readonly reason: string; readonly isWorthAnother: boolean };

/** A redirect is not followed: nobody said that the address behind it may know. */
async function tryOnce(address: URL, body: string): Promise<Answer> {
  try {
    const response = await fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body, redirect: 'manual', signal: AbortSignal.timeout(TRY_MS) });
    await response.body?.cancel();
    if (response.ok) return { kind: 'taken' };
    return { kind: 'refused', reason: `it answers with status ${response.status}`, isWorthAnother: response.status === 429 || response.status >= 500 };
  } catch (error) {
    return { kind: 'refused', reason: reasonOf(error), isWorthAnother: true };
  }
}

/** The message of an error of `fetch` may hold the address; its code does not. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${TRY_MS / 1000} s`;
  const { cause } = error as { readonly cause?: { readonly code?: unknown } }; // any value has no such field, or one that is looked at
  return typeof cause?.code === 'string' ? cause.code : 'it cannot be called';
}
