/**
 * LAW: a request that stops half-way costs nobody a connection while it is small, and a connection that got a part of a
 * large one is never lent to anybody else. Nothing behind a request that was refused goes out.
 */
import t from 'tap';
import { startSidecar } from './sidecar.ts';
import { type Exchange, oneOfEach, type ProtocolSpecimen } from './specimen.ts';
import { WHOLE_SPECIMENS } from './specimens.ts';

/** Of the bytes in between. */
const EVERY = 7;

/** Where requests are cut: everywhere near the beginning and the end. */
function cutsOf(length: number): number[] {
  const all = Array.from({ length: length - 1 }, (_, index) => index + 1);
  return all.filter((cut) => cut < 20 || cut > length - 10 || cut % EVERY === 0);
}

function firstOf({ exchanges }: ProtocolSpecimen): Exchange {
  const working = exchanges.filter(({ local, work }) => !local && work);
  const first = working.find(({ pin }) => pin === undefined) ?? working[0] ?? exchanges.find(({ local }) => !local);
  if (first === undefined) throw new Error('a specimen has ordinary work');
  return first;
}

for (const specimen of WHOLE_SPECIMENS.filter(({ framed }) => framed)) {
  const each = oneOfEach(specimen.exchanges);
  const forwarded = each.filter(({ local }) => !local);
  const ordinary = firstOf(specimen);

  t.test(`${specimen.name}: of a small request that stops half-way no byte reaches a server`, async (t) => {
    const sidecar = await startSidecar(t, specimen);
    for (const { name, request } of forwarded) {
      for (const cut of cutsOf(request(7).length)) {
        const application = sidecar.connect();
        application.send(request(7).subarray(0, cut));
        application.end();
        if (sidecar.served.length > 0) t.fail(`${name} cut at ${cut}`);
      }
    }
    t.equal(sidecar.served.length, 0, 'nobody was even dialled');
    t.strictSame([...new Set(sidecar.closeReasons)], ['client_closed']);
  });

  t.test(`${specimen.name}: who got a part of a large request gets nothing of another client`, async (t) => {
    if (specimen.multiplexing?.exclusive === false) return; // it takes whole requests only
    const sidecar = await startSidecar(t, specimen, { limits: { wholeFrameBytes: 1 } });
    const next = sidecar.connect();
    for (const { name, request } of forwarded) {
      for (const cut of cutsOf(request(7).length)) {
        const application = sidecar.connect();
        application.send(request(7).subarray(0, cut));
        application.end();
        const before = next.heard.length;
        next.send(ordinary.request(cut));
        if (!next.heard.subarray(before).equals(ordinary.seen(cut))) t.fail(`${name} cut at ${cut}`);
      }
    }
    t.strictSame(sidecar.faults, [], 'a server would choke on the second half of something else');
    // Clients that use several connections are read on until it is known which one it is for.
    if (specimen.multiplexing === undefined) t.ok(sidecar.served.length > 1, 'parts did go out');
  });

  t.test(`${specimen.name}: a request in pieces that take their time goes out when it is whole`, async (t) => {
    for (const { name, request, seen } of each) {
      const sidecar = await startSidecar(t, specimen);
      const application = sidecar.connect();
      const bytes = request(7);
      for (let at = 0; at < bytes.length; at += 5) {
        application.send(bytes.subarray(at, at + 5));
        sidecar.pass(1);
      }
      t.strictSame(application.heard, seen(7), name);
      t.strictSame(sidecar.closeReasons, [], name);
      t.strictSame(sidecar.faults, [], name);
    }
  });

  t.test(
    `${specimen.name}: behind what is refused nothing goes out, and its client goes for that reason`,
    async (t) => {
      for (const { name, bytes, reason } of specimen.refusals) {
        const sidecar = await startSidecar(t, specimen);
        const application = sidecar.connect();
        application.send(Buffer.concat([bytes, ordinary.request(1234)]));
        sidecar.pass(0.2); // who guesses passwords is kept waiting
        t.notOk(sidecar.carries(ordinary.request(1234)), name);
        t.strictSame(sidecar.closeReasons, [reason], name);
        t.ok(application.peer.over, name);
      }
    },
  );
}
