// A test in a network namespace of its own, which goes with it.
import { test } from 'node:test';
import { closeNamespace, createNamespace, type NamespaceFd } from '../../src/kernel/network-namespace.ts';
import { needs, type Need } from '../needs.ts';

/** Beside `kernel` it may need more. */
export function inEmptyNamespace(name: string, run: (namespace: NamespaceFd) => void, ...more: readonly Need[]): void {
  test(name, needs('kernel', ...more), () => {
    const namespace = createNamespace();
    try {
      run(namespace);
    } finally {
      closeNamespace(namespace);
    }
  });
}
