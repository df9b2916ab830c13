/** LAW: however a client's bytes are split into reads, the same requests go out, byte for byte, and it hears the same. */
import fc from 'fast-check';
import t from 'tap';
import { inPieces, Lab, type Link, STREAMING, WHOLE } from './lab.ts';
import type { Exchange } from './specimen.ts';
import { SPECIMENS } from './specimens.ts';
import { Talk } from './talk.ts';

const RUNS = 300;
const REGIMES = [WHOLE, STREAMING];

function talk(lab: Lab, link: Link, bytes: Buffer, cuts: readonly number[], wholeFrameBytes: number): Talk {
  link.observer.forget();
  const talk = new Talk(lab, link, wholeFrameBytes);
  inPieces(bytes, cuts, (piece) => talk.feed(piece));
  talk.client.close();
  return talk;
}

/** What is wrong with a request that is sent alone, cut there. */
function faultOf(
  lab: Lab,
  exchange: Exchange,
  { requests, sent, heard, closeReason, closeDetail }: Talk,
  id: number,
): string | null {
  const request = exchange.request(id);
  const wanted = { bytes: request.length, demand: exchange.demand, pin: exchange.pin, work: exchange.work };
  if (closeReason !== null) return `closed: ${closeDetail}`;
  if (!lab.plain(sent).equals(exchange.local ? Buffer.alloc(0) : lab.plain(request)))
    return `sent ${sent.toString('hex')}`;
  if (!heard.equals(exchange.seen(id))) return `heard ${heard.toString('hex')}`;
  if (JSON.stringify(requests) !== JSON.stringify(exchange.local ? [] : [wanted])) return JSON.stringify(requests);
  return null;
}

function* splits(length: number): Iterable<readonly number[]> {
  yield [];
  for (let cut = 1; cut < length; cut += 1) yield [cut];
  yield Array.from({ length: length - 1 }, (_, index) => index + 1);
}

for (const specimen of SPECIMENS) {
  t.test(`${specimen.name}: wherever a request is cut, and byte by byte, it is the same request`, async (t) => {
    for (const exchange of specimen.exchanges) {
      const lab = new Lab(specimen);
      for (const wholeFrameBytes of REGIMES) {
        const link = lab.link();
        const faults: string[] = [];
        for (const cuts of splits(exchange.request(7).length)) {
          const fault = faultOf(lab, exchange, talk(lab, link, exchange.request(7), cuts, wholeFrameBytes), 7);
          if (fault !== null) faults.push(`cut at ${cuts}: ${fault}`);
        }
        t.strictSame(faults.slice(0, 1), [], `${exchange.name}, whole up to ${wholeFrameBytes} bytes`);
      }
    }
  });

  t.test(`${specimen.name}: many requests in a row are the same in any pieces`, async () => {
    const lists = fc.array(fc.constantFrom(...specimen.exchanges), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        lists,
        fc.array(fc.nat(2000), { maxLength: 20 }),
        fc.constantFrom(...REGIMES),
        (list, cuts, regime) => {
          const bytes = Buffer.concat(list.map(({ request }, index) => request(index + 1)));
          const sent = Buffer.concat(
            list.map(({ local, request }, index) => (local ? Buffer.alloc(0) : request(index + 1))),
          );
          const heard = Buffer.concat(list.map(({ seen }, index) => seen(index + 1)));
          const [whole, split] = [[], cuts].map((each) => {
            const lab = new Lab(specimen);
            return talk(lab, lab.link(), bytes, each, regime);
          });
          if (whole === undefined || split === undefined) return false;
          const lab = new Lab(specimen);
          const isSame = lab.plain(split.sent).equals(lab.plain(sent));
          return whole.summary === split.summary && isSame && split.heard.equals(heard);
        },
      ),
      { numRuns: RUNS },
    );
  });
}
