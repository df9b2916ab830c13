/**
 * LAW: however a server's bytes are split into reads, the client hears the same: the answers as they are, but for what is
 * documented to be rewritten. What is told of them is told behind their bytes, and what is owed comes down to nothing.
 */
import fc from 'fast-check';
import t from 'tap';
import { inPieces, Lab, type Link } from './lab.ts';
import type { Exchange } from './specimen.ts';
import { SPECIMENS } from './specimens.ts';

const RUNS = 300;

/** Registers the requests of these with a link; answers what is to come of it. */
function ask(lab: Lab, link: Link, list: readonly Exchange[]): Expected {
  const client = lab.client();
  const answers = list.map((exchange, index) => lab.ask(link, client, exchange, index + 1));
  return expectedOf(list, answers);
}

interface Expected {
  readonly answers: Buffer;
  readonly seen: Buffer;
  /** Where each answer ends, in what is read and in what is heard. */
  readonly ends: readonly { readonly read: number; readonly heard: number; readonly work: boolean }[];
}

function expectedOf(list: readonly Exchange[], all: readonly Buffer[]): Expected {
  const answers: Buffer[] = [];
  const seen: Buffer[] = [];
  const ends: { read: number; heard: number; work: boolean }[] = [];
  let read = 0;
  let heard = 0;
  for (const [index, exchange] of list.entries()) {
    const bytes = all[index];
    if (bytes === undefined || bytes.length === 0) continue;
    answers.push(bytes);
    seen.push(exchange.seen(index + 1));
    read += bytes.length;
    heard += seen.at(-1)?.length ?? 0;
    ends.push({ read, heard, work: exchange.work });
  }
  return { answers: Buffer.concat(answers), seen: Buffer.concat(seen), ends };
}

/** Reads the answers in pieces; answers what was wrong. */
function faultOf(
  link: Link,
  { answers, seen, ends }: Expected,
  cuts: readonly number[],
  framed: boolean,
): string | null {
  const { session, observer } = link;
  let read = 0;
  let wrong: string | null = null;
  inPieces(answers, cuts, (piece) => {
    session.read(piece, 0, piece.length, observer);
    observer.endRead();
    read += piece.length;
    const owed = framed ? ends.filter((end) => end.read > read).length : 0;
    if (session.owed !== owed) wrong ??= `${session.owed} owed, not ${owed}, after ${read} bytes`;
    const inAnswer = framed && read > 0 && !ends.some((end) => end.read === read);
    if (session.inAnswer !== inAnswer) wrong ??= `in an answer: ${session.inAnswer} after ${read} bytes`;
    const complete = ends.findLast((end) => end.read <= read)?.heard ?? 0;
    if (observer.delivered.length < complete) wrong ??= `an answer was kept back after ${read} bytes`;
  });
  if (observer.failure !== null) return `failed: ${observer.failure.detail}`;
  if (wrong !== null) return wrong;
  if (!observer.delivered.equals(seen)) return `heard ${observer.delivered.toString('hex')}`;
  if (session.holding || session.blocked || session.unfenced || session.patienceMilliseconds > 0) return 'not at rest';
  const works = ends.filter(({ work }) => work);
  const worked = observer.all('worked');
  if (!framed) return worked.length > 0 ? null : 'nothing was work';
  if (worked.length !== works.length) return `worked ${worked.length} times, not ${works.length}`;
  if (works.some(({ heard }, index) => (worked[index] ?? 0) < heard)) return 'worked was told before its bytes';
  if (session.tenancy !== undefined) return null; // it need not tell
  const settled = observer.all('settled');
  return settled.length === 1 && settled[0] === seen.length ? null : `settled at ${settled} of ${seen.length}`;
}

for (const specimen of SPECIMENS) {
  const { framed } = specimen;
  const exchanges = specimen.exchanges.filter(({ local, answer }) => !local && answer(1).length > 0);

  t.test(`${specimen.name}: wherever an answer is cut, and byte by byte, it is the same answer`, async (t) => {
    for (const exchange of exchanges) {
      const lab = new Lab(specimen);
      const { length } = ask(lab, lab.link(), [exchange]).answers;
      const link = lab.link();
      const all = Array.from({ length: length - 1 }, (_, index) => index + 1);
      const faults: string[] = [];
      for (const cuts of [[], ...all.map((cut) => [cut]), all]) {
        link.observer.forget();
        const fault = faultOf(link, ask(lab, link, [exchange]), cuts, framed);
        if (fault !== null) faults.push(`cut at ${cuts}: ${fault}`);
      }
      t.strictSame(faults.slice(0, 1), [], exchange.name);
    }
  });

  t.test(`${specimen.name}: an answer whose end comes with the beginning of the next is the same answer`, async (t) => {
    for (const exchange of exchanges) {
      const lab = new Lab(specimen);
      const link = lab.link();
      for (const [first, second] of [1, 3, 5, 9, 13].flatMap((one) =>
        [1, 3, 5, 9, 13].map((two) => [one, two] as const),
      )) {
        link.observer.forget();
        const expected = ask(lab, link, [exchange, exchange]);
        const half = expected.answers.length >> 1;
        t.equal(faultOf(link, expected, [first, half + second], framed), null, exchange.name);
      }
    }
  });

  t.test(`${specimen.name}: many answers in a row are the same in any pieces`, async () => {
    const lists = fc.array(fc.constantFrom(...exchanges), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(lists, fc.array(fc.nat(4000), { maxLength: 20 }), (list, cuts) => {
        const lab = new Lab(specimen);
        const link = lab.link();
        const fault = faultOf(link, ask(lab, link, list), cuts, framed);
        if (fault !== null) throw new Error(fault);
      }),
      { numRuns: RUNS },
    );
  });
}
