/**
 * LAW: whatever a client or a server sends, in whatever pieces, nothing throws. It ends in one close at most, for a reason
 * of the closed list and the same however the bytes were split; what was sound before it has gone its way, and nothing
 * follows it.
 */
import fc from 'fast-check';
import t from 'tap';
import { type ClientSession, Verdict } from '../../src/contract/protocol.ts';
import { CLOSE_REASONS, RELEASE_REASONS } from '../../src/contract/reasons.ts';
import { inPieces, Lab, Link, MAX_FRAME_BYTES, STREAMING, WHOLE } from './lab.ts';
import type { Exchange, ProtocolSpecimen } from './specimen.ts';
import { SPECIMENS } from './specimens.ts';
import { Talk } from './talk.ts';

const RUNS = { numRuns: 500 };
const cuts = fc.array(fc.nat(2000), { maxLength: 12 });
const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

/** A client whose server listens and says nothing. */
function unheard(specimen: ProtocolSpecimen, bytes: Buffer, at: readonly number[], wholeFrameBytes: number): Talk {
  const lab = new Lab(specimen);
  const { session } = lab.link();
  const talk = new Talk(lab, new Link(session, () => Buffer.alloc(0)), wholeFrameBytes);
  inPieces(bytes, at, (piece) => talk.feed(piece));
  return talk;
}

function isSound({ closeReason, closeDetail }: Talk): boolean {
  return closeReason === null || (CLOSE_REASONS.includes(closeReason) && closeDetail.length > 0);
}

/** A stream of requests, spoilt somewhere. */
function spoiltRequests({ exchanges }: ProtocolSpecimen): fc.Arbitrary<Buffer> {
  const lists = fc.array(fc.constantFrom(...exchanges), { minLength: 1, maxLength: 4 });
  return fc.tuple(lists, fc.nat(), fc.nat(255)).map(([list, where, byte]) => {
    const bytes = Buffer.concat(list.map(({ request }, index) => request(index + 1)));
    bytes[where % bytes.length] = byte;
    return bytes;
  });
}

/** All that counts of what becomes of the first request in some bytes. */
function judge(client: ClientSession, bytes: Buffer): string {
  const verdict = client.inspect(bytes, 0, bytes.length, true, false);
  const { size, demand, pin, work, closeReason } = client;
  if (verdict === Verdict.incomplete) return 'incomplete';
  if (verdict === Verdict.close) return JSON.stringify({ closeReason });
  return JSON.stringify(verdict === Verdict.forward ? { verdict, size, demand, pin, work } : { verdict, size });
}

for (const specimen of SPECIMENS) {
  const { name, framed, refusals } = specimen;
  const [first] = specimen.exchanges.filter(({ local }) => !local);

  t.test(`${name}: what is refused is refused however it is cut, for its reason, and does not go out`, async (t) => {
    for (const { name, bytes, reason } of refusals) {
      for (const wholeFrameBytes of [WHOLE, STREAMING]) {
        for (let cut = 0; cut < bytes.length; cut += 1) {
          const talk = unheard(specimen, bytes, [cut], wholeFrameBytes);
          if (talk.closeReason !== reason || !isSound(talk) || talk.sent.length > 0)
            t.fail(`${name} cut at ${cut}: ${talk.closeReason}, ${talk.sent.length} bytes sent`);
        }
      }
    }
    t.pass();
  });

  t.test(`${name}: a request before what is refused goes out, one behind it does not`, async (t) => {
    if (first === undefined) return;
    const lab = new Lab(specimen);
    for (const { name, bytes } of refusals) {
      const stream = Buffer.concat([first.request(1), bytes, first.request(2)]);
      for (const cut of [0, first.request(1).length, first.request(1).length + bytes.length]) {
        const talk = unheard(specimen, stream, [cut], WHOLE);
        t.ok(talk.closeReason !== null && isSound(talk), name);
        t.strictSame(lab.plain(talk.sent), lab.plain(first.request(1)), name);
      }
    }
  });

  t.test(`${name}: any bytes of a client are forwarded as they came, or end it`, async () => {
    fc.assert(
      fc.property(fc.oneof(random, spoiltRequests(specimen)), cuts, (bytes, at) => {
        const whole = unheard(specimen, bytes, [], WHOLE);
        const split = unheard(specimen, bytes, at, WHOLE);
        const isPrefix =
          specimen.multiplexing !== undefined || // what is renumbered may change its length
          whole.heard.length > 0 ||
          bytes.subarray(0, whole.sent.length).equals(whole.sent);
        return isSound(whole) && isPrefix && whole.summary === split.summary;
      }),
      RUNS,
    );
  });

  t.test(`${name}: a request is judged the same when it is looked at again, with more of it or without`, async () => {
    fc.assert(
      fc.property(fc.oneof(random, spoiltRequests(specimen)), (bytes) => {
        const lab = new Lab(specimen);
        lab.link();
        const client = lab.client();
        const verdicts = Array.from({ length: bytes.length + 1 }, (_, end) => judge(client, bytes.subarray(0, end)));
        const last = judge(client, bytes);
        const isSame = last === verdicts.at(-1) && last === judge(lab.client(), bytes);
        if (!framed) return isSame;
        // What goes to a server may turn out to be malformed, or answered here, once it is complete.
        const begun = verdicts.slice(verdicts.findIndex((each) => each !== 'incomplete'));
        return isSame && begun.every((each) => each === last || each.startsWith(`{"verdict":${Verdict.forward}`));
      }),
      RUNS,
    );
  });

  // --- from servers ---------------------------------------------------------------------------------------------

  const asked = specimen.exchanges.filter(({ local }) => !local);
  const lists = fc.array(fc.constantFrom(...asked), { minLength: 1, maxLength: 5 });

  function owing(list: readonly Exchange[]): { readonly link: Link; readonly answers: readonly Buffer[] } {
    const lab = new Lab(specimen);
    const link = lab.link();
    const client = lab.client();
    return { link, answers: list.map((exchange, index) => lab.ask(link, client, exchange, index + 1)) };
  }

  t.test(`${name}: any bytes of a server are passed on, waited for or end the connection`, async () => {
    fc.assert(
      fc.property(lists, random, cuts, (list, bytes, at) => {
        const { link } = owing(list);
        link.read(bytes, at); // the observer throws if anything is told after a failure
        const { failure, delivered } = link.observer;
        if (failure !== null) return RELEASE_REASONS.includes(failure.reason) && failure.detail.length > 0;
        return bytes.length === 0 || delivered.length > 0 || link.session.inAnswer;
      }),
      RUNS,
    );
  });

  t.test(
    `${name}: one spoilt byte of a server ends the connection for one reason, behind the sound answers`,
    async () => {
      fc.assert(
        fc.property(lists, cuts, fc.nat(), fc.nat(255), (list, at, where, byte) => {
          const [{ link: whole, answers }, { link: split }] = [owing(list), owing(list)];
          const bytes = Buffer.concat(answers);
          if (bytes.length === 0) return true;
          const spoilt = where % bytes.length;
          bytes[spoilt] = byte;
          whole.read(bytes);
          split.read(bytes, at);
          let end = 0;
          const sound = answers.filter(({ length }) => {
            end += length;
            return end <= spoilt;
          });
          const seen = Buffer.concat(sound.map((_, index) => list[index]?.seen(index + 1) ?? Buffer.alloc(0)));
          const same = whole.observer.failure?.reason === split.observer.failure?.reason;
          return (
            same && [whole, split].every(({ observer }) => observer.delivered.subarray(0, seen.length).equals(seen))
          );
        }),
        RUNS,
      );
    },
  );

  t.test(`${name}: bytes behind the last answer end the connection, and the answer has arrived`, async (t) => {
    if (!framed || first === undefined || specimen.multiplexing !== undefined) return; // there servers speak unasked
    for (const extra of [1, 4, 50]) {
      const { link } = owing([first]);
      link.read(Buffer.concat([first.answer(1), Buffer.alloc(extra)]));
      t.equal(link.observer.failure?.reason, 'unsolicited_bytes');
      t.strictSame(link.observer.delivered, first.seen(1));
      t.strictSame(link.observer.all('settled'), [first.seen(1).length]);
    }
  });
}

t.test('the largest frame is the one that the route allows', async (t) => {
  t.ok(MAX_FRAME_BYTES < 2 ** 31 - 1, 'or the refusal of a larger one means nothing');
});
