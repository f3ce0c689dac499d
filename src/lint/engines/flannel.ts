// flannel alone: a network for pods that enforces nothing.
import type { Engine } from './engine.ts';

export const FLANNEL: Engine = {
  name: 'flannel',
  title: 'flannel alone',
  aliases: ['none'],
  facts: [{ kind: 'everywhere', severity: 'warning', text: 'no policy is enforced at all: every connection is open', source: 'flannel documentation; its chart adds kube-network-policies with `netpol.enabled=true`', date: '2026-08' }],
};
