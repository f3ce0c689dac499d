// Live emissions written into a real kernel: after each plan it holds what the fake holds, and what the emission names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { closeNamespace, createNamespace } from '../../src/kernel/network-namespace.ts';
import { openFirewall } from '../../src/kernel/nft-firewall.ts';
import { checkWith } from '../clusters/check-property.ts';
import { play, sortedElements, stories } from '../emit/live-story.ts';
import { needs } from '../needs.ts';

const SMALL_BATCH_BYTES = 1500;

test('the kernel takes live plans and holds what they say', needs('kernel'), () => {
  checkWith(fc.tuple(stories, fc.boolean()), (raw, [story, isSmall]) => {
    const namespace = createNamespace();
    const kernel = openFirewall({ namespace, ...(isSmall ? { batchBytesMax: SMALL_BATCH_BYTES } : {}) });
    try {
      let isLoaded = false;
      for (const { plan, table } of play(raw, story)) {
        if (isLoaded) kernel.apply(plan);
        else kernel.load(plan.steps);
        isLoaded = true;
        assert.deepEqual(sortedElements(kernel.read()), sortedElements(table.elements));
      }
    } finally {
      kernel.close();
      closeNamespace(namespace);
    }
  }, { share: 0.05 });
});
