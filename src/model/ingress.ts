// Ingresses and their classes: which names and paths of the outside world are meant to lead to which Services.
import type { Origin } from './origin.ts';
import type { Labels } from './selector.ts';

/** `networking.k8s.io/v1`. */
export interface Ingress {
  readonly namespace: string;
  readonly name: string;
  /** `spec.ingressClassName`, else the old annotation; undefined: the default class, if there is one. */
  readonly className: string | undefined;
  readonly annotations: Labels;
  /** In order, the default backend last. Backends that are no Services are left out. */
  readonly routes: readonly IngressRoute[];
  readonly origin: Origin;
}

export interface IngressRoute {
  /** undefined: every host. */
  readonly host: string | undefined;
  /** As written; `/` where nothing is. */
  readonly path: string;
  /** Of the Ingress' own namespace. */
  readonly serviceName: string;
  /** A Service port's number or name. */
  readonly servicePort: number | string;
  readonly origin: Origin;
}

export interface IngressClass {
  readonly name: string;
  /** `spec.controller`, such as `k8s.io/ingress-nginx`. */
  readonly controller: string;
  readonly isDefault: boolean;
}
