/** LAW: what was said is not kept. A session that has nothing to do holds no buffer of others and next to none of its own. */
import t from 'tap';
import { Verdict } from '../../src/contract/protocol.ts';
import { bytesInUse, collectGarbage } from './garbage-collector.ts';
import { inPieces, Lab, type Link, WHOLE } from './lab.ts';
import type { Exchange } from './specimen.ts';
import { SPECIMENS } from './specimens.ts';
import { Talk } from './talk.ts';

const BATCH = 50;
/** Less than anything that the large exchanges carry. */
const MOST_BYTES = 12 * 1024;

/** What one more costs, once there are many. */
async function costOf(make: () => unknown): Promise<number> {
  const batch = (): unknown[] => Array.from({ length: BATCH }, make);
  const held = [batch()];
  const before = await bytesInUse();
  held.push(batch());
  const after = await bytesInUse();
  held.length = 0;
  return Math.round((after - before) / BATCH);
}

/** A buffer of its own, as a socket reads into. */
function readBuffer(bytes: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(own);
  return own;
}

/** Says a request and its answer, in halves, and forgets every buffer; answers what might still be there. */
function converse(lab: Lab, link: Link, { request, answer, local }: Exchange): WeakRef<ArrayBufferLike>[] {
  const client = lab.client();
  const buffers: WeakRef<ArrayBufferLike>[] = [];
  const asked = readBuffer(request(1));
  buffers.push(new WeakRef(asked.buffer));
  const verdict = client.inspect(asked, 0, asked.length, true, false);
  if (verdict === Verdict.answer) client.answer();
  else link.admit(client, asked, 0);
  if (local) return buffers;
  const bytes = lab.specimen.multiplexing === undefined ? answer(1) : link.ask(link.written(client, asked, 0));
  inPieces(bytes, [bytes.length >> 1], (piece) => {
    const own = readBuffer(piece);
    buffers.push(new WeakRef(own.buffer));
    if (own.length > 0) link.session.read(own, 0, own.length, link.observer);
    link.observer.endRead();
  });
  return buffers;
}

/** A client says it, another one too, then the first again, and is silent then. */
function say(lab: Lab, link: Link, { request }: Exchange): Talk {
  const [talk, other] = [new Talk(lab, link, WHOLE), new Talk(lab, link, WHOLE)];
  for (const [index, each] of [talk, other, talk].entries()) {
    const bytes = request(index + 1);
    inPieces(bytes, [bytes.length >> 1], (piece) => each.feed(piece));
    link.observer.forget();
  }
  other.client.close();
  return talk;
}

for (const specimen of SPECIMENS) {
  const { name, exchanges, bulky } = specimen;

  t.test(`${name}: no buffer that was read into is held once it was dealt with`, async (t) => {
    const said = [...exchanges, ...bulky].map((exchange) => {
      const lab = new Lab(specimen);
      const link = lab.link();
      return { name: exchange.name, link, buffers: converse(lab, link, exchange) };
    });
    await collectGarbage();
    for (const { name, link, buffers } of said) {
      const held = buffers.filter((each) => each.deref() !== undefined).length;
      t.equal(held, 0, `${name}: ${held} of ${buffers.length}`);
      t.equal(link.session.owed, 0);
    }
  });

  t.test(`${name}: a client that is silent costs next to nothing, whatever it said last`, async (t) => {
    for (const exchange of bulky) {
      const lab = new Lab(specimen);
      const link = lab.link();
      const each = await costOf(() => say(lab, link, exchange).client);
      t.ok(each < MOST_BYTES, `${exchange.name}: ${each} bytes each`);
    }
  });

  t.test(`${name}: a quiet connection costs next to nothing, whatever it carried last`, async (t) => {
    for (const exchange of bulky) {
      const lab = new Lab(specimen);
      const each = await costOf(() => {
        const link = lab.link();
        say(lab, link, exchange).client.close();
        return link.session;
      });
      t.ok(each < MOST_BYTES, `${exchange.name}: ${each} bytes each`);
    }
  });
}
