/** A broker that closes a connection while it is being opened says nothing; what it may mean stands in the log. */
import t from 'tap';
import { type Credential, Secret } from '../../src/contract/credential.ts';
import type { CoreEvent } from '../../src/core/events.ts';
import { Route } from '../../src/core/route.ts';
import { protocolNamed } from '../../src/protocols/registry.ts';
import { answer, apiVersionsBody } from '../protocols/kafka/answers.ts';
import { ALL_RANGES, requestsIn } from '../protocols/kafka/kafka-bench.ts';
import { SaslBroker } from '../protocols/kafka/sasl/sasl-broker.ts';
import { routeOptions } from '../support/core-fixture.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { ManualClock } from '../support/manual-clock.ts';

interface Scope {
  teardown(task: () => Promise<void>): unknown;
}

/** What the first failed dial of a route is told to be. @param hear what the broker answers; null: it closes @param closes it closes behind that */
async function failureOf(
  t: Scope,
  credential: Credential | null,
  hear: () => (bytes: Buffer) => Buffer | null,
  closes = false,
): Promise<string | undefined> {
  const clock = new ManualClock();
  const network = new FakeNetwork();
  const events: CoreEvent[] = [];
  clock.input = () => network.pump();
  network.serve('broker:9092', (peer) => {
    const heard = hear();
    peer.onEnd = () => peer.close();
    peer.onBytes = (bytes) => {
      const said = heard(bytes);
      if (said === null) peer.fin();
      else if (said.length > 0) peer.send(said);
      if (closes) peer.fin();
    };
  });
  const options = routeOptions({});
  const login = { fingerprint: 'login', tls: null, credential: () => credential };
  const route = new Route({
    options: {
      ...options,
      protocol: 'kafka',
      upstream: { ...options.upstream, bootstrap: [{ host: 'broker', port: 9092 }] },
    },
    protocol: protocolNamed('kafka'),
    ...{ clock, network, observe: (event: CoreEvent) => events.push(event), random: () => 0.5 },
    identities: { first: { name: '', login }, find: (name) => ({ name, login }), onChange: () => undefined },
  });
  t.teardown(() => route.stop());
  await route.start();
  await network.settle();
  clock.advance(100);
  return events.find((event) => event.type === 'upstream.dial_failed')?.detail;
}

const PLAIN: Credential = { mechanism: 'PLAIN', username: 'app', password: new Secret('wrong') };
const PLAINLY = 'the broker closed the connection';

t.test('a broker that answers ApiVersions and closes may want SASL', async (t) => {
  const first = (bytes: Buffer): Buffer => {
    const [{ version, id } = { version: 0, id: 0 }] = requestsIn(bytes);
    return answer(18, version, id, apiVersionsBody(version, ALL_RANGES));
  };
  t.match(await failureOf(t, null, () => first, true), `${PLAINLY}: it may want SASL`);
  t.equal(await failureOf(t, null, () => () => null), PLAINLY, 'of one that says nothing nothing is known');
});

t.test('a broker that closes instead of refusing is told to be one', async (t) => {
  const broker = new SaslBroker();
  const detail = await failureOf(t, PLAIN, () => (bytes) => {
    const said = broker.take(bytes);
    return broker.refused ? null : said;
  });
  t.match(detail, PLAINLY);
  t.match(detail, /user app \(PLAIN\)/);
  t.notMatch(detail, 'wrong');
});
