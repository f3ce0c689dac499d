// Services that the API server calls: webhooks of admission and conversion, and extension APIs.
import type { ServiceRoute } from '../../analyze/services.ts';
import type { Path } from '../../model/origin.ts';
import { mapAt, mapsIn, textIn } from '../../read/values/loose-map.ts';
import type { WrittenObject } from '../../read/values/written-object.ts';
import type { LooseMap } from '../../read/text/yaml-value.ts';
import type { PodPort } from './scrapes.ts';

export interface CalledService {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** Below the object. */
  readonly path: Path;
}

/** admissionregistration.k8s.io/v1, apiextensions.k8s.io/v1, apiregistration.k8s.io/v1; without a port it is 443. */
export function calledServices({ kind, map }: WrittenObject): readonly CalledService[] {
  switch (kind) {
    case 'ValidatingWebhookConfiguration':
    case 'MutatingWebhookConfiguration':
      return mapsIn(map, 'webhooks').flatMap(([index, webhook]) => calledService(mapAt(webhook, ['clientConfig', 'service']), ['webhooks', index, 'clientConfig', 'service']));
    case 'CustomResourceDefinition':
      return calledService(mapAt(map, ['spec', 'conversion', 'webhook', 'clientConfig', 'service']), ['spec', 'conversion', 'webhook', 'clientConfig', 'service']);
    case 'APIService':
      return calledService(mapAt(map, ['spec', 'service']), ['spec', 'service']);
    default:
      return [];
  }
}

function calledService(service: LooseMap, path: Path): readonly CalledService[] {
  const [namespace, name] = [textIn(service, 'namespace'), textIn(service, 'name')];
  const port = service['port'];
  return namespace === undefined || name === undefined ? [] : [{ namespace, name, port: typeof port === 'number' ? port : 443, path }];
}

/** Pods behind it; empty where the Service, or its port, is not in the input. */
export function podsCalled(routes: readonly ServiceRoute[], { namespace, name, port }: CalledService): readonly PodPort[] {
  const route = routes.find(({ service }) => service.namespace === namespace && service.name === name);
  const targets = route?.ports.find((own) => own.port.port === port && own.port.protocol === 'TCP')?.targets ?? [];
  return targets.flatMap(({ end, port: number }) => (end.kind === 'pod' ? [{ pod: end.pod, port: number }] : []));
}
