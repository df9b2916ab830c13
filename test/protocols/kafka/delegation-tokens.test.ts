/** Answers about delegation tokens: their throttle time stands behind everything else. */
import t from 'tap';
import { answer } from './answers.ts';
import { rowOf } from './api-fixture.ts';
import { KafkaBench } from './kafka-bench.ts';
import { anyRequest } from './requests.ts';
import { form, i16, i32, i64, join, type Tag } from './wire.ts';

const FIRST_FLEXIBLE = 2;
/** Ends in bytes that could be taken for a throttle time and no tags. */
const LATER: Tag = { tag: 9, bytes: Buffer.from('later\x7f\x00\x00\x00\x00') };

interface Written {
  readonly throttle: number;
  readonly tags?: readonly Tag[];
  readonly tokens?: number;
}

function token(version: number): Buffer {
  const write = form(version >= FIRST_FLEXIBLE);
  const owner = [write.string('User'), write.string('alice')];
  const requester = version >= 3 ? [write.string('User'), write.string('bob')] : [];
  return join(...owner, ...requester, i64(1n), i64(2n), i64(3n), write.string('id'), write.bytes(Buffer.from('hmac')));
}

function bodyOf(key: number, version: number, { throttle, tags = [], tokens = 2 }: Written): Buffer {
  const write = form(version >= FIRST_FLEXIBLE);
  const renewer = join(write.string('User'), write.string('carol'), write.tags(...tags));
  const described = [[], [renewer, renewer]].slice(0, tokens).map((renewers) => {
    return join(token(version), write.array(renewers), write.tags(...tags));
  });
  const said = key === 38 ? token(version) : key === 41 ? write.array(described) : i64(5n);
  return join(i16(0), said, i32(throttle), write.tags(...tags));
}

/** What is told about the connection, the answer cut at `cuts`. */
function factsOf(key: number, version: number, bytes: Buffer, cuts: readonly number[] = []): string[] {
  const connection = new KafkaBench().connect();
  connection.ask(new KafkaBench().client(), anyRequest(key, version, 5));
  connection.read(bytes, cuts);
  return connection.sink.failure === null ? connection.sink.facts : [connection.sink.failure.reason];
}

for (const key of [38, 39, 40, 41]) {
  const { name, newest } = rowOf(key);
  t.test(`${name}: the throttle time mutes the connection, whatever tagged fields come with it`, async (t) => {
    for (let version = 0; version <= newest; version += 1) {
      for (const tags of version < FIRST_FLEXIBLE ? [[]] : [[], [LATER], [LATER, { tag: 10, bytes: i32(0) }]]) {
        for (const throttle of [0, 1, 4321]) {
          const bytes = answer(key, version, 5, bodyOf(key, version, { throttle, tags }));
          for (const cuts of [[], [1], [11, 13], [bytes.length - 1]]) {
            const muted = throttle > 0 ? [`muted ${throttle}`] : [];
            const wanted = ['worked', ...muted, `settled a ${bytes.length}`];
            t.same(factsOf(key, version, bytes, cuts), wanted, `v${version}, ${tags.length} tags, cut at ${cuts}`);
          }
        }
      }
    }
  });

  t.test(`${name}: an answer that ends too soon ends the connection`, async (t) => {
    for (let version = 0; version <= newest; version += 1) {
      const body = bodyOf(key, version, { throttle: 7, tokens: 1 });
      const short = body.subarray(0, body.length - (version < FIRST_FLEXIBLE ? 1 : 2));
      t.same(factsOf(key, version, answer(key, version, 5, short)), ['protocol_error'], `v${version}`);
    }
  });
}

t.test('no token at all is described', async (t) => {
  for (const version of [1, 3]) {
    const bytes = answer(41, version, 5, bodyOf(41, version, { throttle: 12, tokens: 0 }));
    t.same(factsOf(41, version, bytes), ['worked', 'muted 12', `settled a ${bytes.length}`]);
  }
});
