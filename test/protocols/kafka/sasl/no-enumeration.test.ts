/** What a refusal costs does not tell whether there is such a user. */
import * as crypto from 'node:crypto';
import t from 'tap';
import type { ClientSession } from '../../../../src/contract/protocol.ts';
import type * as kafkaModule from '../../../../src/protocols/kafka/kafka.ts';
import { ListenerTable } from '../kafka-bench.ts';
import { authenticate, UserTable } from './sasl-application.ts';

t.test('every refusal derives keys once, and who is let in does so only the first time', async (t) => {
  let derived = 0;
  let compared = 0;
  const counted = {
    ...crypto,
    pbkdf2Sync: (...given: Parameters<typeof crypto.pbkdf2Sync>) => {
      derived += 1;
      return crypto.pbkdf2Sync(...given);
    },
    timingSafeEqual: (...given: Parameters<typeof crypto.timingSafeEqual>) => {
      compared += 1;
      return crypto.timingSafeEqual(...given);
    },
  };
  const { kafka } = await t.mockImport<typeof kafkaModule>('../../../../src/protocols/kafka/kafka.ts', {
    'node:crypto': counted,
  });
  const route = kafka.createRoute({
    addresses: new ListenerTable(),
    maxFrameBytes: 1024 * 1024,
    portBase: undefined,
    ports: {},
    saslPassThrough: false,
    users: new UserTable({ alice: 'secret', bob: 'secret' }),
  });
  const attempt = (username: string, password: string, mechanism = 'SCRAM-SHA-256'): string => {
    const client: ClientSession = route.client('1', null);
    [derived, compared] = [0, 0];
    const outcome = authenticate(client, mechanism, username, password);
    return `${outcome === 'known' ? 'known' : 'refused'}: ${derived} derived, ${compared} compared`;
  };
  const refusal = 'refused: 1 derived, 1 compared';
  t.equal(attempt('nobody', 'wrong'), refusal);
  t.equal(attempt('nobody', 'wrong'), refusal, 'again');
  t.equal(attempt('alice', 'wrong'), refusal, 'a user who was never here');
  t.equal(attempt('alice', 'wrong'), refusal, 'whose keys are at hand');
  t.equal(attempt('bob', 'secret'), 'known: 1 derived, 1 compared');
  t.equal(attempt('bob', 'secret'), 'known: 0 derived, 1 compared');
  t.equal(attempt('bob', 'wrong'), refusal);
  for (const name of ['alice', 'nobody']) t.equal(attempt(name, 'wrong', 'PLAIN'), 'refused: 0 derived, 1 compared');
});
