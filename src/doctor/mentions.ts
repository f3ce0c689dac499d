// All that the knowledge reads of a cluster: what is not named here is never kept.
import type { Condition, EngineKnowledge, KindAt, ObjectAt, ProviderKnowledge, Signal } from './knowledge.ts';

export interface Mentions {
  readonly arguments: ReadonlySet<string>;
  readonly env: ReadonlySet<string>;
  readonly nodeLabels: ReadonlySet<string>;
  /** The flags that are read of a node's annotation, by annotation. */
  readonly annotations: ReadonlyMap<string, ReadonlySet<string>>;
  readonly deployments: readonly ObjectAt[];
  readonly configMaps: readonly { readonly at: ObjectAt; readonly key: string }[];
  readonly objects: readonly { readonly at: KindAt; readonly name: string; readonly path: string }[];
  readonly everyObject: readonly { readonly at: KindAt; readonly path: string }[];
  readonly served: readonly KindAt[];
}

export function mentionsOf(engines: readonly EngineKnowledge[], providers: readonly ProviderKnowledge[]): Mentions {
  const signals = [...engines.flatMap(signalsOfEngine), ...providers.flatMap(({ recognized, values }) => [...recognized.map(({ signal }) => signal), ...Object.values(values).map(({ signal }) => signal)])];
  const annotations = new Map<string, Set<string>>();
  for (const signal of signals) {
    if ('annotationArgument' in signal) annotations.set(signal.annotation, new Set([...(annotations.get(signal.annotation) ?? []), signal.annotationArgument]));
  }
  return {
    arguments: new Set(signals.flatMap((signal) => ('argument' in signal ? [signal.argument] : []))),
    env: new Set(signals.flatMap((signal) => ('env' in signal ? [signal.env] : []))),
    nodeLabels: new Set(signals.flatMap((signal) => ('nodeLabel' in signal ? [signal.nodeLabel] : []))),
    annotations,
    deployments: unique(signals.flatMap((signal) => ('deployment' in signal && signal.deployment !== undefined ? [signal.deployment] : []))),
    configMaps: unique(signals.flatMap((signal) => ('configMap' in signal ? [{ at: signal.configMap, key: signal.key }] : []))),
    objects: unique(signals.flatMap((signal) => ('object' in signal ? [{ at: kindOf(signal.object), name: signal.object.name, path: signal.path }] : []))),
    everyObject: unique(signals.flatMap((signal) => ('everyObject' in signal ? [{ at: signal.everyObject, path: signal.path }] : []))),
    served: unique(signals.flatMap((signal) => ('served' in signal ? [signal.served] : []))),
  };
}

export function signalsOfEngine({ recognized, notOn = [], checks }: EngineKnowledge): Signal[] {
  const conditions: Condition[] = [...(recognized.onNodes ?? []).flat(), ...notOn.flatMap(({ when }) => when), ...checks.flatMap(({ when }) => when)];
  return conditions.map(({ signal }) => signal);
}

function kindOf({ apiVersion, kind, resource }: KindAt): KindAt {
  return { apiVersion, kind, resource };
}

function unique<T>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
