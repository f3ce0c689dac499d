// Reads Ingresses and their classes: which hosts and paths are meant to lead to which Services.
import type { Ingress, IngressClass, IngressRoute } from '../../model/ingress.ts';
import type { Path } from '../../model/origin.ts';
import type { Labels } from '../../model/selector.ts';
import { listAt, mapAt, readText, REFUSED } from '../values/loose-value.ts';
import { originOf, refuse, type ObjectContext } from '../values/object-context.ts';
import { readPortNumber } from '../values/read-ports.ts';
import { NO_LABELS } from '../values/read-labels.ts';
import type { NamedObject } from '../values/named-object.ts';
import type { Value } from '../text/yaml-value.ts';

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const DEFAULT_CLASS_ANNOTATION = 'ingressclass.kubernetes.io/is-default-class';

export function readIngress(context: ObjectContext, object: NamedObject): Ingress {
  const path = [...object.path, 'spec'];
  const spec = mapAt(context, object.map['spec'], path);
  const annotations = readAnnotations(context, object);
  const className = readText(context, spec['ingressClassName'], [...path, 'ingressClassName']);
  const routes: IngressRoute[] = [];
  for (const [index, rule] of listAt(context, spec['rules'], [...path, 'rules']).entries()) routes.push(...readRule(context, rule, [...path, 'rules', index]));
  const otherwise = readBackend(context, spec['defaultBackend'], [...path, 'defaultBackend']);
  if (otherwise !== undefined) routes.push({ host: undefined, path: '/', ...otherwise });
  return {
    namespace: object.namespace,
    name: object.name,
    className: typeof className === 'string' && className !== '' ? className : annotations.get(CLASS_ANNOTATION),
    annotations,
    routes,
    origin: originOf(context, object.path),
  };
}

export function readIngressClass(context: ObjectContext, object: NamedObject): IngressClass {
  const path = [...object.path, 'spec'];
  const controller = readText(context, mapAt(context, object.map['spec'], path)['controller'], [...path, 'controller']);
  return {
    name: object.name,
    controller: typeof controller === 'string' ? controller : '',
    isDefault: readAnnotations(context, object).get(DEFAULT_CLASS_ANNOTATION) === 'true',
  };
}

/** Annotations that are text; the server takes no others. */
export function readAnnotations(context: ObjectContext, { map, path }: NamedObject): Labels {
  const place = [...path, 'metadata', 'annotations'];
  const annotations = mapAt(context, mapAt(context, map['metadata'], [...path, 'metadata'])['annotations'], place);
  const keys = Object.keys(annotations);
  if (keys.length === 0) return NO_LABELS;
  const texts = new Map<string, string>();
  for (const key of keys) {
    const text = readText(context, annotations[key], [...place, key]);
    if (typeof text === 'string') texts.set(key, text);
  }
  return texts;
}

function readRule(context: ObjectContext, value: Value, path: Path): IngressRoute[] {
  const rule = mapAt(context, value, path);
  const host = readText(context, rule['host'], [...path, 'host']);
  const pathsPath = [...path, 'http', 'paths'];
  const routes: IngressRoute[] = [];
  for (const [index, item] of listAt(context, mapAt(context, rule['http'], [...path, 'http'])['paths'], pathsPath).entries()) {
    const place = [...pathsPath, index];
    const entry = mapAt(context, item, place);
    const written = readText(context, entry['path'], [...place, 'path']);
    const backend = readBackend(context, entry['backend'], [...place, 'backend']);
    if (backend === undefined) continue;
    routes.push({ host: typeof host === 'string' && host !== '' ? host : undefined, path: typeof written === 'string' && written !== '' ? written : '/', ...backend });
  }
  return routes;
}

/** undefined: missing, or no Service. */
function readBackend(context: ObjectContext, value: Value | undefined, path: Path): Pick<IngressRoute, 'serviceName' | 'servicePort' | 'origin'> | undefined {
  const servicePath = [...path, 'service'];
  const service = mapAt(context, mapAt(context, value, path)['service'], servicePath);
  const name = readText(context, service['name'], [...servicePath, 'name']);
  const port = mapAt(context, service['port'], [...servicePath, 'port']);
  const number = readPortNumber(context, port['number'], [...servicePath, 'port', 'number']);
  const portName = readText(context, port['name'], [...servicePath, 'port', 'name']);
  if (name === undefined || name === REFUSED || number === REFUSED || portName === REFUSED) return undefined;
  const servicePort = number ?? portName;
  if (servicePort === undefined || servicePort === '') {
    refuse(context, servicePath, 'invalid-port', `the backend \`${name}\` of an Ingress needs a port by number or by name`);
    return undefined;
  }
  return { serviceName: name, servicePort, origin: originOf(context, servicePath) };
}
