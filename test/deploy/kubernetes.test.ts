import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Script } from 'node:vm';
import t from 'tap';
import { parseAllDocuments } from 'yaml';
import { isLoopback, parseAddress } from '../../src/config/address.ts';
import { effectiveRoutes } from '../../src/config/effective.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { type Container, type KubernetesObject, kustomizationSchema, objectSchema } from './kubernetes-schema.ts';
import { HEALTH_PATHS, urlsIn } from './probe.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'deploy/kubernetes');
const FILES = readdirSync(FOLDER).filter((file) => file !== 'kustomization.yaml');
/** After shutdownGraceSeconds the sidecar says goodbye to its brokers. */
const FAREWELL_SECONDS = 5;

const read = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');

function documents(file: string): unknown[] {
  return parseAllDocuments(read(file), { uniqueKeys: true }).map((document) => {
    const [fault] = [...document.errors, ...document.warnings];
    if (fault !== undefined) throw fault;
    return document.toJS();
  });
}

function objects(file: string): KubernetesObject[] {
  return documents(file).map((document) => objectSchema.parse(document));
}

function ofKind<K extends KubernetesObject['kind']>(file: string, kind: K) {
  return objects(file).filter((one): one is Extract<KubernetesObject, { kind: K }> => one.kind === kind);
}

interface Deployed {
  readonly file: string;
  readonly workload: Extract<KubernetesObject, { kind: 'Deployment' | 'DaemonSet' }>;
  readonly sidecar: Container;
  /** Its probes come before the application starts. */
  readonly native: boolean;
  readonly application: Container | undefined;
  readonly config: Config;
}

function isSidecar({ image }: Container): boolean {
  return image.startsWith('slackwater:');
}

function deployed(file: string): Deployed[] {
  return [...ofKind(file, 'Deployment'), ...ofKind(file, 'DaemonSet')].map((workload) => {
    const { initContainers = [], containers, volumes } = workload.spec.template.spec;
    const sidecar = [...initContainers, ...containers].find(isSidecar);
    if (sidecar === undefined) throw new Error(`${file} has no sidecar`);
    const mount = sidecar.volumeMounts?.find(({ mountPath }) => mountPath === '/etc/slackwater');
    const name = volumes.find((volume) => volume.name === mount?.name)?.configMap?.name;
    const map = ofKind(file, 'ConfigMap').find((one) => one.metadata.name === name);
    return {
      file,
      workload,
      sidecar,
      native: initContainers.includes(sidecar),
      application: containers.find((container) => !isSidecar(container)),
      config: parseConfig(map?.data['config.yaml'] ?? '', file),
    };
  });
}

type Labels = Readonly<Record<string, string>>;

function selects(wanted: Labels | undefined, labels: Labels): boolean {
  const pairs = Object.entries(wanted ?? {});
  return pairs.length > 0 && pairs.every(([key, value]) => labels[key] === value);
}

const ALL = FILES.flatMap(deployed);

t.test('every manifest is YAML without errors, of known kinds and keys', async (t) => {
  for (const file of FILES) t.ok(objects(file).length > 0, file);
  t.strictSame(
    ALL.map(({ file }) => file),
    ['classic-sidecar.yaml', 'native-sidecar.yaml', 'node-local.yaml', 'pulsar-sidecar.yaml', 'secured-sidecar.yaml'],
  );
});

t.test('the kustomization names files that exist, and every image', async (t) => {
  const { resources, images } = kustomizationSchema.parse(documents('kustomization.yaml')[0]);
  for (const resource of resources) t.ok(existsSync(join(FOLDER, resource)), resource);
  for (const [, file = ''] of read('kustomization.yaml').matchAll(/# ?- (\S+\.yaml)/g))
    t.ok(FILES.includes(file), file);
  const used = ALL.flatMap(({ sidecar, application }) => [sidecar, ...(application ? [application] : [])]);
  const tagged = new Set(images.map(({ name, newTag }) => `${name}:${newTag}`));
  t.strictSame(new Set(used.map(({ image }) => image)), tagged);
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  t.ok(tagged.has(`slackwater:${version}`));
});

t.test('every configuration in a ConfigMap is one that the sidecar takes, where the image looks for it', async (t) => {
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  t.match(dockerfile, '"/etc/slackwater/config.yaml"');
  for (const { file, config } of ALL) {
    t.equal(config.routes[0]?.protocol, file === 'pulsar-sidecar.yaml' ? 'pulsar' : 'kafka', file);
  }
});

t.test('selectors find the pods', async (t) => {
  for (const { file, workload } of ALL) {
    t.ok(selects(workload.spec.selector.matchLabels, workload.spec.template.metadata.labels), file);
  }
});

t.test(
  'probes ask endpoints that exist, on the port of the health listener, which all of the pod shares',
  async (t) => {
    for (const { file, sidecar, native, config } of ALL) {
      const health = parseAddress(config.health.listen);
      t.notOk(isLoopback(health.host), `${file}: the kubelet comes from outside of the pod`);
      const probes = [sidecar.startupProbe, sidecar.readinessProbe, sidecar.livenessProbe].flatMap(
        (probe) => probe ?? [],
      );
      for (const { httpGet } of probes) {
        t.ok(HEALTH_PATHS.includes(httpGet.path), `${file}: ${httpGet.path}`);
        t.equal(sidecar.ports?.find(({ name }) => name === httpGet.port)?.containerPort, health.port, file);
      }
      t.equal(sidecar.readinessProbe?.httpGet.path, '/readyz');
      t.equal(sidecar.livenessProbe?.httpGet.path, '/livez');
      if (native) t.equal(sidecar.startupProbe?.httpGet.path, '/startupz', 'the application starts after the sidecar');
      t.equal(native, sidecar.restartPolicy === 'Always', 'only init containers have a restart policy of their own');
    }
  },
);

t.test('a classic sidecar comes first and holds the application back for a while', async (t) => {
  const classic = ALL.find(({ file }) => file === 'classic-sidecar.yaml');
  t.equal(classic?.workload.spec.template.spec.containers[0], classic?.sidecar);
  const [node, flag, script = ''] = classic?.sidecar.lifecycle?.postStart.exec.command ?? [];
  t.strictSame([node, flag], ['node', '-e']);
  t.ok(new Script(script));
  t.strictSame(urlsIn(script), [{ port: parseAddress(classic?.config.health.listen ?? '').port, path: '/startupz' }]);
});

t.test('nobody is root, nothing can be written, no right is left', async (t) => {
  for (const { file, workload, sidecar } of ALL) {
    const { spec } = workload.spec.template;
    t.match(spec.securityContext, { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }, file);
    t.equal(spec.automountServiceAccountToken, false);
    t.match(sidecar.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    t.ok((sidecar.securityContext?.runAsUser ?? 0) > 0);
    for (const mount of sidecar.volumeMounts ?? []) t.equal(mount.readOnly, true);
  }
});

/** Every file that a configuration names. */
function filesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    key.endsWith('File') && typeof inner === 'string' ? [inner] : filesIn(inner),
  );
}

t.test('every file of a configuration comes from a mounted Secret that the sidecar may read', async (t) => {
  const secured = ALL.filter(({ config }) => filesIn(config).length > 0);
  t.ok(secured.length > 0);
  for (const { file, workload, sidecar, config } of secured) {
    const { securityContext, volumes } = workload.spec.template.spec;
    t.equal(securityContext.fsGroup, sidecar.securityContext?.runAsGroup, file);
    for (const path of filesIn(config)) {
      const mount = sidecar.volumeMounts?.find(({ mountPath }) => dirname(path) === mountPath);
      const secret = volumes.find(({ name }) => name === mount?.name)?.secret;
      t.equal(secret?.defaultMode, 0o440, `${file}: ${path}`);
      t.match(read(file), `--from-file=${basename(path)}`, `${file}: how to make a Secret with ${path} in it`);
    }
  }
});

t.test('memory is limited and CPU is not', async (t) => {
  for (const { file, sidecar } of ALL) {
    t.match(sidecar.resources, { requests: { cpu: /^\d+m$/, memory: /^\d+Mi$/ }, limits: { memory: /^\d+Mi$/ } }, file);
    t.equal(sidecar.resources?.limits.cpu, undefined);
  }
});

t.test('the pod waits for the shutdown that its configuration grants', async (t) => {
  for (const { file, workload, config } of ALL) {
    const { terminationGracePeriodSeconds } = workload.spec.template.spec;
    t.ok(terminationGracePeriodSeconds >= config.shutdownGraceSeconds + FAREWELL_SECONDS, file);
  }
});

t.test('a native sidecar leaves as much time to the application as Kubernetes does', async (t) => {
  const native = ALL.find((one) => one.native);
  const { terminationGracePeriodSeconds = 0 } = native?.workload.spec.template.spec ?? {};
  t.ok(terminationGracePeriodSeconds - (native?.config.shutdownGraceSeconds ?? 0) >= 30);
});

t.test('an application beside its sidecar is pointed at it, and nobody else can reach it', async (t) => {
  for (const { file, application, config } of ALL) {
    if (application === undefined) continue;
    const [route] = effectiveRoutes(config);
    const listen = config.routes[0]?.listen;
    const env =
      route?.protocol === 'pulsar'
        ? { name: 'PULSAR_SERVICE_URL', value: `pulsar://${listen}` }
        : { name: 'KAFKA_BOOTSTRAP_SERVERS', value: listen };
    t.strictSame(application.env, [env], file);
    t.ok(isLoopback(route?.listen.host ?? '') && isLoopback(route?.brokers.listenHost ?? ''));
  }
});

t.test('Service, NetworkPolicy and configuration of the node-local sidecar agree', async (t) => {
  const file = 'node-local.yaml';
  const [node] = deployed(file);
  if (node === undefined) throw new Error(`${file} has no workload`);
  const { workload, config } = node;
  const [route] = effectiveRoutes(config);
  const [service] = ofKind(file, 'Service');
  const [policy] = ofKind(file, 'NetworkPolicy');
  const ports = [route?.listen.port, ...Object.values(route?.brokers.ports ?? {})];
  t.strictSame(
    service?.spec.ports.map(({ port }) => port),
    ports,
    'applications are told these ports',
  );
  for (const { port, targetPort } of service?.spec.ports ?? []) t.equal(targetPort, port);
  t.equal(route?.brokers.advertisedHost, `${service?.metadata.name}.default.svc`);
  t.equal(route?.brokers.portBase, undefined, 'a port that the Service lacks would be advertised in vain');
  const { labels } = workload.spec.template.metadata;
  t.ok(selects(service?.spec.selector, labels));
  t.ok(selects(policy?.spec.podSelector.matchLabels, labels));
  const [clients, scrapes] = policy?.spec.ingress ?? [];
  t.strictSame(
    clients?.ports.map(({ port }) => port),
    ports,
  );
  t.ok((clients?.from?.length ?? 0) > 0);
  t.strictSame(scrapes?.ports, [{ port: parseAddress(config.health.listen).port }]);
});

t.test('Prometheus finds every sidecar', async (t) => {
  const [monitor] = ofKind('pod-monitor.yaml', 'PodMonitor');
  const [endpoint] = monitor?.spec.podMetricsEndpoints ?? [];
  t.ok(HEALTH_PATHS.includes(endpoint?.path ?? ''));
  for (const { file, workload, sidecar } of ALL) {
    t.ok(selects(monitor?.spec.selector.matchLabels, workload.spec.template.metadata.labels), file);
    t.ok(
      sidecar.ports?.some(({ name }) => name === endpoint?.port),
      file,
    );
  }
});
