import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import t from 'tap';
import { parseDocument } from 'yaml';
import { parseAddress } from '../../src/config/address.ts';
import { parseConfig } from '../../src/config/load.ts';
import { composeSchema, type Service } from './compose-schema.ts';
import { HEALTH_PATHS, urlsIn } from './probe.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const document = parseDocument(read('docker-compose.yml'), { uniqueKeys: true });
const { services } = composeSchema.parse(document.toJS());

function service(name: string): Service {
  const found = services[name];
  if (found === undefined) throw new Error(`there is no service ${name}`);
  return found;
}

const mounts = (of: Service): string[][] => (of.volumes ?? []).map((volume) => volume.split(':'));
const CONFIG = mounts(service('slackwater')).find(([, target]) => target === '/etc/slackwater/config.yaml')?.[0] ?? '';
const config = parseConfig(read(CONFIG), CONFIG);
const [route] = config.routes;

t.test('docker-compose.yml is YAML without errors, and its keys are those of the Compose specification', async (t) => {
  t.strictSame(document.errors, []);
  t.strictSame(document.warnings, []);
  t.strictSame(Object.keys(services), ['kafka', 'slackwater', 'application']);
});

t.test('what a service leans on is there', async (t) => {
  for (const [name, { depends_on = {}, network_mode, build, image }] of Object.entries(services)) {
    for (const [other, { condition }] of Object.entries(depends_on)) {
      t.equal(condition === 'service_healthy', service(other).healthcheck !== undefined, `${name} waits for ${other}`);
    }
    const shared = network_mode?.replace(/^service:/, '');
    if (shared !== undefined) t.ok(services[shared], `${name} shares the network of ${shared}`);
    if (build !== undefined) t.ok(existsSync(join(ROOT, build, 'Dockerfile')));
    if (build === undefined) t.match(image, /:\d+\.\d+/, `${name} has a version of its own`);
    for (const [source = '', , mode] of mounts(service(name))) {
      t.ok(existsSync(join(ROOT, source)), `${source} exists`);
      t.equal(mode, 'ro');
    }
  }
});

t.test('the sidecar connects where the broker tells applications that it is', async (t) => {
  const { environment = {} } = service('kafka');
  const listeners = (key: string): string[] => String(environment[key]).split(',');
  const names = (key: string): string[] => listeners(key).map((one) => /^\w+/.exec(one)?.[0] ?? '');
  const bound = names('KAFKA_LISTENERS');
  t.strictSame(names('KAFKA_LISTENER_SECURITY_PROTOCOL_MAP').sort(), [...bound].sort());
  t.match(bound, names('KAFKA_ADVERTISED_LISTENERS').slice(0, 1));
  t.ok(bound.includes(String(environment.KAFKA_INTER_BROKER_LISTENER_NAME)));
  t.ok(bound.includes(String(environment.KAFKA_CONTROLLER_LISTENER_NAMES)));
  t.notOk(names('KAFKA_ADVERTISED_LISTENERS').includes(String(environment.KAFKA_CONTROLLER_LISTENER_NAMES)));
  const advertised = listeners('KAFKA_ADVERTISED_LISTENERS').find((one) => one.startsWith('APPLICATIONS://'));
  t.strictSame(route?.upstream.bootstrap, [advertised?.replace('APPLICATIONS://', '')]);
  const controller = listeners('KAFKA_LISTENERS').find((one) => one.startsWith('CONTROLLER'));
  const voters = String(environment.KAFKA_CONTROLLER_QUORUM_VOTERS);
  t.equal(voters, `${environment.KAFKA_NODE_ID}@kafka:${controller?.split(':').at(-1)}`);
});

t.test('application and sidecar share a network, so that the address of the route is the application’s', async (t) => {
  const application = service('application');
  t.equal(application.network_mode, 'service:slackwater');
  const [script = '', target] = mounts(application)[0] ?? [];
  t.strictSame(application.entrypoint, ['/bin/sh', target]);
  t.match(read(script), `\${BOOTSTRAP:-${route?.listen}}`);
  execFileSync('/bin/sh', ['-n', join(ROOT, script)]);
});

t.test('the ports that are published are those of the health listener, for this machine alone', async (t) => {
  const { port } = parseAddress(config.health.listen);
  t.strictSame(service('slackwater').ports, [`127.0.0.1:${port}:${port}`]);
});

t.test('the health check asks an endpoint that exists, on the port where it is', async (t) => {
  const [, node, flag, script = ''] = service('slackwater').healthcheck?.test ?? [];
  t.strictSame([node, flag], ['node', '-e']);
  t.ok(new Script(script));
  const [url, ...others] = urlsIn(script);
  t.equal(url?.port, parseAddress(config.health.listen).port);
  t.ok(HEALTH_PATHS.includes(url?.path ?? ''));
  t.strictSame(others, []);
});

t.test('the sidecar may take for its shutdown what its configuration says, and has no rights', async (t) => {
  const { stop_grace_period, read_only, cap_drop } = service('slackwater');
  t.ok(Number.parseInt(stop_grace_period ?? '', 10) >= config.shutdownGraceSeconds + 5);
  t.equal(read_only, true);
  t.strictSame(cap_drop, ['ALL']);
});
