// Paths of a tier's trie with one policy more or less: a level for each priority, the low numbers first.
import type { CompiledClusterPolicy } from './policy-set.ts';
import type { TierLayer, TierLevel, TierVariant } from './tier-layer.ts';

/** The node like another, under one policy more. */
export function withVariant(layer: TierLayer, node: number, variant: TierVariant): number {
  const { priority } = variant.policy.policy;
  const path = layer.trie.stepsTo(node);
  const place = path.findIndex((level) => level.priority >= priority);
  if (place < 0) return layer.trie.childOf(node, layer.levelOf(priority, [variant]));
  const level = path[place]!;
  const variants = level.priority === priority ? level.variants : [];
  const added = layer.levelOf(priority, [...variants, variant].sort((a, b) => a.id - b.id));
  return layer.trie.nodeAt([...path.slice(0, place), added, ...path.slice(level.priority === priority ? place + 1 : place)]);
}

/** The node like another, without a policy. */
export function withoutPolicy(layer: TierLayer, node: number, policy: CompiledClusterPolicy): number {
  const path = layer.trie.stepsTo(node).flatMap((level): TierLevel[] => {
    const variants = level.variants.filter((variant) => variant.policy !== policy);
    if (variants.length === level.variants.length) return [level];
    return variants.length === 0 ? [] : [layer.levelOf(level.priority, variants)];
  });
  return layer.trie.nodeAt(path);
}
