/** The laws speak of every protocol that there is, and of everything that its clients may do. */
import t from 'tap';
import { Demand } from '../../src/contract/protocol.ts';
import { PROTOCOLS } from '../../src/protocols/registry.ts';
import { SPECIMENS } from './specimens.ts';

t.test('every protocol of the registry has its specimen', async (t) => {
  t.strictSame(
    [...new Set(SPECIMENS.map(({ protocol }) => protocol))].sort(),
    PROTOCOLS.map(({ name }) => name).sort(),
  );
});

for (const { name, framed, exchanges, refusals, security, multiplexing } of SPECIMENS) {
  t.test(`${name}: the specimen has something of everything`, async (t) => {
    // Connections for questions carry nothing else.
    if (multiplexing === undefined) t.ok(exchanges.some(({ work }) => work));
    if (!framed) return;
    t.ok(exchanges.some(({ work }) => !work));
    t.ok(exchanges.some(({ local }) => local));
    if (multiplexing === undefined) t.ok(exchanges.some(({ local, answer }) => !local && answer(1).length === 0));
    t.ok(exchanges.some(({ answer, seen }) => !answer(1).equals(seen(1))));
    t.ok(refusals.length > 0);
    if (security?.passThrough !== true && multiplexing === undefined)
      // there each client has a connection of its own, or one for each purpose
      for (const demand of Object.values(Demand)) t.ok(exchanges.some((each) => each.demand === demand));
    t.equal(new Set(exchanges.map(({ name }) => name)).size, exchanges.length, 'names tell them apart');
    for (const { name, request, local } of exchanges)
      if (multiplexing === undefined || !local) t.notSame(request(1), request(2), name);
  });
}
