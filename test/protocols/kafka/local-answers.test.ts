/** What the sidecar answers itself: ApiVersions, with what the broker can and we can handle. */
import t from 'tap';
import { type ClientSession, Verdict } from '../../../src/contract/protocol.ts';
import { BOOTSTRAP } from '../../../src/contract/topology.ts';
import { answer, apiVersionsBody, type Range } from './answers.ts';
import { API_ROWS, rowOf } from './api-fixture.ts';
import { ALL_RANGES, KafkaBench } from './kafka-bench.ts';
import { apiVersionsRequest } from './requests.ts';
import { form, frame, i16, i32, i64, join, type Tag } from './wire.ts';

const NEVER_OFFERED = new Set(['refuse', 'hidden', 'sasl']);
const offered = (ranges: readonly Range[]): Range[] => ranges.filter(({ key }) => !NEVER_OFFERED.has(rowOf(key).kind));

/** What the client is told in so many words; undefined if it is told nothing yet. */
function told(client: ClientSession, version: number, id = 5, mayAnswer = true): Buffer | undefined {
  const bytes = apiVersionsRequest(version, id);
  const verdict = client.inspect(bytes, 0, bytes.length, mayAnswer, false);
  if (verdict !== Verdict.answer && verdict !== Verdict.learn) throw new Error(`verdict ${verdict}`);
  return verdict === Verdict.answer ? client.answer() : undefined;
}

t.test('a client is told what its broker can, in the version that it asks in', async (t) => {
  for (let version = 0; version <= 4; version += 1) {
    const bench = new KafkaBench();
    bench.connect();
    t.same(told(bench.client(), version), answer(18, version, 5, apiVersionsBody(version, offered(ALL_RANGES))));
  }
});

t.test('maxima are cut at what we can handle, minima stay as they are, unknown APIs are not offered', async (t) => {
  const bench = new KafkaBench();
  const ranges = [
    { key: 0, min: 3, max: 99 },
    { key: 1, min: 4, max: 11 },
    { key: 3, min: 14, max: 20 },
    { key: 18, min: 0, max: 9 },
    { key: 78, min: 0, max: 0 },
    { key: 79, min: 0, max: 1 },
    { key: 95, min: 0, max: 3 },
    { key: 17, min: 0, max: 1 },
    { key: 36, min: 0, max: 2 },
    { key: 71, min: 0, max: 0 },
    { key: 4, min: 0, max: 7 },
  ];
  bench.connect({ ranges });
  const wanted = [
    { key: 0, min: 3, max: 13 },
    { key: 1, min: 4, max: 11 },
    { key: 18, min: 0, max: 4 },
    { key: 79, min: 0, max: 1 },
  ];
  t.same(told(bench.client(), 3), answer(18, 3, 5, apiVersionsBody(3, wanted)));
});

t.test('of every API no newer version is offered than the table has', async (t) => {
  const bench = new KafkaBench();
  bench.connect({ ranges: API_ROWS.map(({ key }) => ({ key, min: 0, max: 99 })) });
  t.same(told(bench.client(), 0), answer(18, 0, 5, apiVersionsBody(0, offered(ALL_RANGES))));
});

t.test('an unknown version is answered in version 0, with error 35 and what we do know', async (t) => {
  const bench = new KafkaBench();
  bench.connect();
  for (const version of [5, 6, 32_767, -1]) {
    const body = apiVersionsBody(0, [{ key: 18, min: 0, max: 4 }], [], 35);
    t.same(told(bench.client(), version), answer(18, 0, 5, body), `v${version}`);
  }
});

/** name, minimum and maximum */
function featuresTag(features: readonly (readonly [string, number, number])[]): Tag {
  const write = form(true);
  const list = features.map(([name, min, max]) => join(write.string(name), i16(min), i16(max), write.tags()));
  return { tag: 0, bytes: write.array(list) };
}

t.test('features pass, but for those from 0 on before version 4 and all before version 3', async (t) => {
  const all = featuresTag([
    ['group.version', 0, 1],
    ['metadata.version', 7, 25],
  ]);
  const old = featuresTag([['metadata.version', 7, 25]]);
  const epoch = { tag: 1, bytes: i64(12n) };
  const later = { tag: 9, bytes: Buffer.from('later') };
  const bench = new KafkaBench();
  bench.connect({ tags: [all, epoch, later] });
  const ranges = offered(ALL_RANGES);
  t.same(told(bench.client(), 4), answer(18, 4, 5, apiVersionsBody(4, ranges, [all, epoch, later])));
  t.same(told(bench.client(), 3), answer(18, 3, 5, apiVersionsBody(3, ranges, [old, epoch, later])));
  t.same(told(bench.client(), 2), answer(18, 2, 5, apiVersionsBody(2, ranges)));
});

t.test('the features of a broker that knows ApiVersions 3, and not 4, are told', async (t) => {
  const features = featuresTag([['metadata.version', 7, 25]]);
  const bench = new KafkaBench();
  bench.connect({ tags: [features], apiVersions: 3 });
  t.same(told(bench.client(), 3), answer(18, 3, 5, apiVersionsBody(3, offered(ALL_RANGES), [features])));
});

t.test('nobody is told anything before his broker was asked, or while it may be dead', async (t) => {
  const bench = new KafkaBench();
  t.equal(told(bench.client('1'), 3), undefined);
  t.equal(told(bench.client(BOOTSTRAP), 3), undefined);
  bench.connect({ node: '2' });
  t.equal(told(bench.client('1'), 3), undefined, 'another broker may be older');
  bench.connect();
  t.ok(told(bench.client('1'), 3));
  t.equal(told(bench.client('1'), 3, 5, false), undefined);
});

t.test('the bootstrap listener tells what all known brokers share', async (t) => {
  const bench = new KafkaBench();
  const rangesOf = (produce: number, fetch: number): Range[] => [
    { key: 0, min: 0, max: produce },
    { key: 1, min: 4, max: fetch },
    { key: 18, min: 0, max: 4 },
  ];
  bench.connect({ node: '1', ranges: rangesOf(11, 17) });
  t.same(told(bench.client(BOOTSTRAP), 0), answer(18, 0, 5, apiVersionsBody(0, rangesOf(11, 17))));
  bench.connect({ node: '2', ranges: [...rangesOf(13, 12), { key: 60, min: 0, max: 2 }] });
  t.same(told(bench.client(BOOTSTRAP), 0), answer(18, 0, 5, apiVersionsBody(0, rangesOf(11, 12))));
  t.same(told(bench.client('1'), 0), answer(18, 0, 5, apiVersionsBody(0, rangesOf(11, 17))), 'a broker its own');
  bench.connect({ node: '2', ranges: [{ key: 1, min: 18, max: 18 }] });
  t.same(told(bench.client(BOOTSTRAP), 0), answer(18, 0, 5, apiVersionsBody(0, [])), 'ranges that do not meet');
  bench.connect({ node: '2', ranges: [{ key: 1, min: 17, max: 18 }] });
  const one = [{ key: 1, min: 17, max: 17 }];
  t.same(
    told(bench.client(BOOTSTRAP), 0),
    answer(18, 0, 5, apiVersionsBody(0, one)),
    'ranges that meet in one version',
  );
  bench.connect({ node: '2', ranges: rangesOf(12, 17) });
  t.same(told(bench.client(BOOTSTRAP), 0), answer(18, 0, 5, apiVersionsBody(0, rangesOf(11, 17))), 'it was upgraded');
});

t.test('an answer is given to a whole request, for all of it is taken', async (t) => {
  const bench = new KafkaBench();
  bench.connect();
  for (const version of [0, 3]) {
    const bytes = apiVersionsRequest(version, 5);
    for (let end = 0; end < bytes.length; end += 1) {
      const client = bench.client();
      t.equal(client.inspect(bytes, 0, end, true, false), Verdict.incomplete, `${end} of ${bytes.length}`);
      t.equal(client.size, end < 4 ? 0 : bytes.length);
    }
  }
});

t.test('an ApiVersions request that would fill the memory is not waited for', async (t) => {
  const client = new KafkaBench().client();
  const bytes = frame(i16(18), i16(3), i32(1), Buffer.alloc(128 * 1024));
  t.equal(client.inspect(bytes, 0, 12, true, false), Verdict.close);
  t.equal(client.closeReason, 'protocol_error');
});
