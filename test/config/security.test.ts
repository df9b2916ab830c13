import { join } from 'node:path';
import { inspect } from 'node:util';
import t from 'tap';
import { effectiveRoutes } from '../../src/config/effective.ts';
import { parseConfig } from '../../src/config/load.ts';
import { publicConfig } from '../../src/config/public.ts';
import { Secret } from '../../src/contract/credential.ts';
import { GOOD } from './fault-cases.ts';

const SECURED = `${GOOD.replace(
  '[broker-1:9092] }',
  '[broker-1:9092], tls: { caFile: ca.pem }, sasl: { mechanism: PLAIN, username: app, password: planted } }',
)}    listenTls: { certificateFile: tls/server.pem, keyFile: /keys/server.key }
    listenSasl: { credentialsFile: users.yaml }
admin: { tokenFile: token }
`;

t.test('paths are relative to the file that names them, and absolute once it was read', async (t) => {
  const config = parseConfig(SECURED, '/etc/slackwater/config.yaml');
  const [route] = effectiveRoutes(config);
  t.equal(route?.upstream.tls?.caFile, '/etc/slackwater/ca.pem');
  t.equal(route?.listenTls?.certificateFile, '/etc/slackwater/tls/server.pem');
  t.equal(route?.listenTls?.keyFile, '/keys/server.key');
  t.equal(route?.listenSasl?.credentialsFile, '/etc/slackwater/users.yaml');
  t.equal(config.admin.tokenFile, '/etc/slackwater/token');
  const [relative] = effectiveRoutes(parseConfig(SECURED, 'here/config.yaml'));
  t.equal(relative?.upstream.tls?.caFile, join(process.cwd(), 'here/ca.pem'));
});

t.test('what a route does not say of security is null', async (t) => {
  const [route] = effectiveRoutes(parseConfig(GOOD, 'config.yaml'));
  t.match(route, { upstream: { tls: null, sasl: null, saslPassThrough: false } });
  t.match(route, { listenTls: null, listenSasl: null, stateFile: null });
});

t.test('a secret in the configuration is revealed to nobody who does not ask for it', async (t) => {
  const config = parseConfig(SECURED, '/etc/slackwater/config.yaml');
  const sasl = config.routes[0]?.upstream.sasl;
  t.type(sasl?.password, Secret);
  t.equal(sasl?.password?.reveal(), 'planted');
  const shown = publicConfig(config);
  t.equal(shown.routes[0]?.upstream.sasl?.password, '[secret]');
  t.equal(shown.routes[0]?.upstream.tls?.caFile, '/etc/slackwater/ca.pem', 'paths are no secrets');
  t.strictSame(JSON.parse(JSON.stringify(shown)), shown);
  for (const text of [JSON.stringify(config), inspect(config, { depth: 9 }), JSON.stringify(shown)]) {
    t.notMatch(text, 'planted');
  }
});

t.test('mechanisms, versions and verification have defaults', async (t) => {
  const [route] = effectiveRoutes(parseConfig(SECURED, 'config.yaml'));
  t.match(route?.upstream.tls, { minVersion: 'TLSv1.2', rejectUnauthorized: true, insecureSkipVerify: false });
  t.match(route?.listenTls, { minVersion: 'TLSv1.2', subjectIsUser: false });
  t.strictSame(route?.listenSasl?.mechanisms, ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']);
});
