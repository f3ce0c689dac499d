// News of drift as what a webhook takes: a message of Slack's form, or alerts of the Alertmanager's API.
import type { News, ToldDrift } from './told.ts';

export const WEBHOOK_FORMS = ['slack', 'alertmanager'] as const;

export type WebhookForm = (typeof WEBHOOK_FORMS)[number];

/** Lines of one message; the rest is counted. */
const LINES_MAX = 30;
/** UTF-16 units of one line: names of a cluster have bounds, what a rule lacks has none. */
const LINE_LENGTH_MAX = 600;
/** Alerts of one request. */
const ALERTS_MAX = 500;
/** An alert stands for as long when no later run says that it is over: a nightly run renews it. */
const ALERT_STANDS_MS = 25 * 3_600_000;

/** Bodies of JSON, to be sent one after another; none where there is no news. */
export function webhookBodies(form: WebhookForm, news: News, nowMs: number): readonly string[] {
  switch (form) {
    case 'slack':
      return news.fresh.length + news.resolved.length + news.more === 0 ? [] : [JSON.stringify({ text: messageOf(news) })];
    case 'alertmanager':
      return chunksOf([...alertsOf([...news.standing, ...news.fresh], nowMs + ALERT_STANDS_MS), ...alertsOf(news.resolved, nowMs)], ALERTS_MAX).map((alerts) => JSON.stringify(alerts));
  }
}

/** Slack, "Formatting text for app surfaces": `&`, `<` and `>` are its own. */
function messageOf({ fresh, resolved, more }: News): string {
  const lines = [...fresh.map(({ message }) => `• ${message}`), ...resolved.map(({ subject, kind }) => `• over: ${kind} ${subject}`)];
  const rest = lines.length - LINES_MAX + more;
  // A name that was looked up may hold whatever its pod wrote: it begins no line of its own.
  const shown = lines.slice(0, LINES_MAX).map((line) => line.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')).map((line) => (line.length > LINE_LENGTH_MAX ? `${line.slice(0, LINE_LENGTH_MAX)}…` : line));
  const text = [`Network policies have drifted: ${fresh.length + more} new, ${resolved.length} over`, ...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n');
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Alertmanager, API v2, `postableAlerts`: the same labels are the same alert. */
function alertsOf(drifts: readonly ToldDrift[], endsMs: number): readonly object[] {
  return drifts.map(({ kind, subject, message, sinceMs }) => ({
    labels: { alertname: 'BulkheadDrift', kind, subject },
    annotations: { summary: message.slice(0, LINE_LENGTH_MAX) },
    startsAt: new Date(sinceMs).toISOString(),
    endsAt: new Date(endsMs).toISOString(),
  }));
}

function chunksOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}
