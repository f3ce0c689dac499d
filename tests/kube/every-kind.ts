// One manifest of every kind that is read, with every field that is read, and with secrets where people put them.
import { SECRET } from './cluster-cases.ts';

const CONTAINERS = `
      - name: main
        image: example/main
        args: [--password=${SECRET}]
        env: [{ name: PASSWORD, value: ${SECRET} }]
        ports: [{ name: http, containerPort: 8080 }, { containerPort: 53, protocol: UDP, hostPort: 5353 }]
      initContainers:
      - { name: once, image: example/once, command: [sh, -c, ${SECRET}], ports: [{ containerPort: 1 }] }
      - { name: proxy, image: example/proxy, restartPolicy: Always, ports: [{ name: proxy, containerPort: 15001 }] }`;

const TEMPLATE = `
    metadata: { labels: { app: a }, annotations: { note: ${SECRET} } }
    spec:
      containers:${CONTAINERS}`;

export const EVERY_KIND: string = `
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { team: a }, annotations: { note: ${SECRET} } }
---
apiVersion: v1
kind: Node
metadata: { name: n1, labels: { zone: a } }
spec: { podCIDR: 10.244.1.0/24, podCIDRs: [10.244.1.0/24, 'fd00:1::/64'], providerID: ${SECRET} }
status: { addresses: [{ type: InternalIP, address: 10.0.0.1 }, { type: Hostname, address: n1 }] }
---
apiVersion: v1
kind: Pod
metadata:
  name: live
  namespace: shop
  labels: { app: live, pod-template-hash: x1 }
  ownerReferences: [{ apiVersion: apps/v1, kind: ReplicaSet, name: live-x1, controller: true, uid: u }, { apiVersion: v1, kind: ConfigMap, name: other, uid: u }]
spec:
      nodeName: n1
      containers:${CONTAINERS}
status: { phase: Running, podIP: 10.244.1.7, podIPs: [{ ip: 10.244.1.7 }, { ip: 'fd00:1::7' }], hostIP: 10.0.0.1, message: ${SECRET} }
---
apiVersion: v1
kind: Pod
metadata: { name: host, namespace: kube-system }
spec: { nodeName: n1, hostNetwork: true, containers: [{ name: c, image: i }] }
status: { phase: Running, podIP: 10.0.0.1, hostIP: 10.0.0.1, hostIPs: [{ ip: 10.0.0.1 }, { ip: 'fd00::1' }] }
---
apiVersion: v1
kind: Pod
metadata: { name: done, namespace: shop }
spec: { containers: [{ name: c, image: i }] }
status: { phase: Succeeded, podIP: 10.244.1.8 }
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: { name: live-x1, namespace: shop, ownerReferences: [{ apiVersion: apps/v1, kind: Deployment, name: live, controller: true, uid: u }] }
spec:
  replicas: 2
  template:${TEMPLATE}
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  replicas: 3
  template:${TEMPLATE}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db, namespace: shop }
spec:
  replicas: 2
  ordinals: { start: 5 }
  template:${TEMPLATE}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent, namespace: shop }
spec:
  template:${TEMPLATE}
---
apiVersion: v1
kind: ReplicationController
metadata: { name: old, namespace: shop }
spec:
  replicas: 2
  template:${TEMPLATE}
---
apiVersion: batch/v1
kind: Job
metadata: { name: job, namespace: shop }
spec:
  parallelism: 2
  completions: 3
  completionMode: Indexed
  template:${TEMPLATE}
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly, namespace: shop }
spec:
  schedule: '@daily'
  jobTemplate:
    spec:
      parallelism: 4
      template:
        metadata: { labels: { app: nightly } }
        spec: { containers: [{ name: c, image: i, args: [${SECRET}], ports: [{ name: metrics, containerPort: 9100 }] }] }
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: { name: rollout, namespace: shop }
spec:
  replicas: 2
  strategy: { note: ${SECRET} }
  template:${TEMPLATE}
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: { name: k8s, namespace: shop }
spec: { replicas: 2, shards: 2, portName: ui, podMetadata: { labels: { team: a }, annotations: { note: ${SECRET} } }, thanos: { image: ${SECRET} }, externalLabels: { a: ${SECRET} } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop, labels: { app: web }, annotations: { service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip, note: ${SECRET} } }
spec:
  type: LoadBalancer
  clusterIP: 10.96.0.5
  clusterIPs: [10.96.0.5, 'fd00:96::5']
  selector: { app: a }
  externalTrafficPolicy: Local
  loadBalancerSourceRanges: [192.0.2.0/24]
  ports: [{ name: http, port: 80, targetPort: http, nodePort: 30080 }, { name: dns, port: 53, protocol: UDP }]
---
apiVersion: v1
kind: Service
metadata: { name: far, namespace: shop }
spec: { type: ExternalName, externalName: db.example.com }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: web-x, namespace: shop, labels: { kubernetes.io/service-name: web } }
addressType: IPv4
endpoints: [{ addresses: [10.244.1.7], targetRef: { kind: Pod, name: live, namespace: shop }, conditions: { ready: true } }, { addresses: [203.0.113.4] }]
ports: [{ name: http, port: 8080, protocol: TCP }]
---
apiVersion: v1
kind: Endpoints
metadata: { name: old, namespace: shop }
subsets: [{ addresses: [{ ip: 10.244.1.7, nodeName: n1, targetRef: { kind: Pod, name: live, namespace: shop } }], notReadyAddresses: [{ ip: 203.0.113.5 }], ports: [{ name: http, port: 8080, protocol: TCP }] }]
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: { name: alb, annotations: { ingressclass.kubernetes.io/is-default-class: 'true' } }
spec: { controller: ingress.k8s.aws/alb }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web, namespace: shop, annotations: { kubernetes.io/ingress.class: alb, alb.ingress.kubernetes.io/target-type: ip, note: ${SECRET} } }
spec:
  ingressClassName: alb
  defaultBackend: { service: { name: web, port: { number: 80 } } }
  rules: [{ host: shop.example, http: { paths: [{ path: /api, pathType: Prefix, backend: { service: { name: web, port: { name: http } } } }] } }]
  tls: [{ secretName: ${SECRET} }]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: web, namespace: shop, labels: { app: web }, annotations: { note: ${SECRET} } }
spec: { podSelector: { matchLabels: { app: a } }, ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/8, except: [10.1.0.0/16] } }], ports: [{ port: 8000, endPort: 8100 }] }], policyTypes: [Ingress] }
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: { name: deny }
spec: { tier: Admin, priority: 5, subject: { namespaces: {} }, ingress: [{ name: r, action: Deny, from: [{ namespaces: { matchLabels: { team: b } } }], protocols: [{ tcp: { destinationPort: { number: 80 } } }] }] }
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: { name: pass }
spec: { priority: 7, subject: { namespaces: {} }, egress: [{ name: r, action: Pass, to: [{ nodes: { matchLabels: { zone: a } } }] }] }
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: BaselineAdminNetworkPolicy
metadata: { name: default }
spec: { subject: { namespaces: {} }, ingress: [{ name: r, action: Allow, from: [{ namespaces: {} }] }] }
---
apiVersion: v1
kind: Secret
metadata: { name: key, namespace: shop }
stringData: { key: ${SECRET} }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings, namespace: other }
data: { key: ${SECRET} }
`;
