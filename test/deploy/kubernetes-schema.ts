/** The part of the Kubernetes API that deploy/kubernetes uses; a key that is not here is a typing error. */
import { z } from 'zod';

const labels = z.record(z.string(), z.string());
const metadata = z.strictObject({ name: z.string(), labels: labels.optional() });
const selector = z.strictObject({ matchLabels: labels });
const seconds = z.number().int().positive();

const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string(), port: z.string() }),
  periodSeconds: seconds.optional(),
  timeoutSeconds: seconds.optional(),
  failureThreshold: seconds.optional(),
});
export type Probe = z.output<typeof probe>;

const resources = z.strictObject({ cpu: z.string().optional(), memory: z.string() });

const container = z.strictObject({
  name: z.string(),
  image: z.string(),
  restartPolicy: z.literal('Always').optional(),
  ports: z.array(z.strictObject({ name: z.string().max(15), containerPort: z.number() })).optional(),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
  lifecycle: z
    .strictObject({ postStart: z.strictObject({ exec: z.strictObject({ command: z.array(z.string()) }) }) })
    .optional(),
  startupProbe: probe.optional(),
  readinessProbe: probe.optional(),
  livenessProbe: probe.optional(),
  resources: z.strictObject({ requests: resources, limits: resources }).optional(),
  securityContext: z
    .strictObject({
      runAsUser: z.number(),
      runAsGroup: z.number(),
      allowPrivilegeEscalation: z.boolean(),
      readOnlyRootFilesystem: z.boolean(),
      capabilities: z.strictObject({ drop: z.array(z.string()) }),
    })
    .optional(),
  volumeMounts: z.array(z.strictObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean() })).optional(),
});
export type Container = z.output<typeof container>;

const podSpec = z.strictObject({
  automountServiceAccountToken: z.boolean(),
  terminationGracePeriodSeconds: seconds,
  securityContext: z.strictObject({
    runAsNonRoot: z.boolean(),
    fsGroup: z.number().optional(),
    seccompProfile: z.strictObject({ type: z.string() }),
  }),
  initContainers: z.array(container).optional(),
  containers: z.array(container).min(1),
  volumes: z.array(
    z.strictObject({
      name: z.string(),
      configMap: z.strictObject({ name: z.string() }).optional(),
      secret: z.strictObject({ secretName: z.string(), defaultMode: z.number() }).optional(),
    }),
  ),
});

const template = z.strictObject({ metadata: z.strictObject({ labels }), spec: podSpec });

const workload = <K extends string, S extends z.ZodRawShape>(kind: K, spec: S) =>
  z.strictObject({
    apiVersion: z.literal('apps/v1'),
    kind: z.literal(kind),
    metadata,
    spec: z.strictObject({ selector, template, ...spec }),
  });

const port = z.strictObject({ name: z.string(), port: z.number(), targetPort: z.number() });
const peer = z.strictObject({ namespaceSelector: z.strictObject({}).optional(), podSelector: selector });

export const objectSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('ConfigMap'),
    metadata,
    data: z.record(z.string(), z.string()),
  }),
  z.strictObject({
    apiVersion: z.literal('v1'),
    kind: z.literal('Service'),
    metadata,
    spec: z.strictObject({ selector: labels, internalTrafficPolicy: z.literal('Local'), ports: z.array(port) }),
  }),
  workload('Deployment', { replicas: z.number() }),
  workload('DaemonSet', {
    updateStrategy: z.strictObject({
      type: z.literal('RollingUpdate'),
      rollingUpdate: z.strictObject({ maxSurge: z.number(), maxUnavailable: z.number() }),
    }),
  }),
  z.strictObject({
    apiVersion: z.literal('networking.k8s.io/v1'),
    kind: z.literal('NetworkPolicy'),
    metadata,
    spec: z.strictObject({
      podSelector: selector,
      policyTypes: z.array(z.literal('Ingress')),
      ingress: z.array(
        z.strictObject({
          from: z.array(peer).optional(),
          ports: z.array(z.strictObject({ port: z.number() })),
        }),
      ),
    }),
  }),
  z.strictObject({
    apiVersion: z.literal('monitoring.coreos.com/v1'),
    kind: z.literal('PodMonitor'),
    metadata,
    spec: z.strictObject({
      selector,
      podMetricsEndpoints: z.array(z.strictObject({ port: z.string(), path: z.string(), interval: z.string() })),
    }),
  }),
]);
export type KubernetesObject = z.output<typeof objectSchema>;

export const kustomizationSchema = z.strictObject({
  apiVersion: z.literal('kustomize.config.k8s.io/v1beta1'),
  kind: z.literal('Kustomization'),
  resources: z.array(z.string()),
  images: z.array(z.strictObject({ name: z.string(), newName: z.string(), newTag: z.string() })),
});
