/** Bytes that nobody in earnest would send, from a seed: nothing is done, nothing is left behind, and it goes on. */
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { FakeRoute, upstreamView } from '../support/fake-route.ts';
import { seeded } from '../support/seeded.ts';
import { adminOn, ask } from './listeners.ts';

const TOKEN = 'correct-horse-battery';
const CONNECTIONS = 400;
const AT_ONCE = 50;
/** Who does not end by himself is soon let go. */
const BOUNDS = { headersMilliseconds: 60, requestMilliseconds: 60, keepAliveMilliseconds: 60, checkMilliseconds: 10 };
/** Failed attempts are answered at once. */
const HASTY = {
  after(_milliseconds: number, task: () => void) {
    setImmediate(task);
    return { cancel: () => undefined };
  },
};

const SAMPLES = [
  'GET /v1/routes HTTP/1.1\r\nhost: localhost\r\n\r\n',
  'GET /v1/upstreams?route=orders&limit=2 HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\n\r\n',
  'POST /v1/reap HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{"dryRun":true}',
  'DELETE /v1/upstreams/u1?force=true HTTP/1.1\r\nhost: localhost\r\n\r\n',
  'PUT /v1/log-level HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n11\r\n{"level":"debug"}\r\n0\r\n\r\n',
  // A TLS ClientHello, an HTTP/2 preface, a Kafka ApiVersions.
  '\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x00\x00\x00\x0d\x00\x12\x00\x00\x00\x00\x00\x01\x00\x03foo',
].map((text) => Buffer.from(text, 'latin1'));

function garbage(random: () => number): Buffer {
  const below = (limit: number) => Math.floor(random() * limit);
  const sample = () => SAMPLES[below(SAMPLES.length)] ?? Buffer.alloc(0);
  const noise = () => Buffer.from(Array.from({ length: below(200) }, () => below(256)));
  const kind = below(5);
  if (kind === 0) return noise();
  if (kind === 1) return sample().subarray(0, below(sample().length));
  if (kind === 2) return Buffer.concat([sample(), noise(), sample()]);
  const bytes = Buffer.from(sample());
  for (let i = below(8); i >= 0; i--) bytes[below(bytes.length)] = kind === 3 ? below(256) : (9 + below(26) * 4) & 0x7f;
  return bytes;
}

/** What came back until the listener had enough. */
async function say(port: number, bytes: Buffer, ends: boolean): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let got = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    got += text;
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => undefined).write(bytes);
  if (ends) socket.end();
  await closed;
  return got;
}

t.test('garbage does nothing, is answered with nothing but errors and reads, and leaves nothing behind', async (t) => {
  const seed = Number(process.env.SEED ?? 1);
  const random = seeded(seed);
  const route = new FakeRoute();
  route.upstreamList = [upstreamView({ id: 'u1' })];
  const tokenFile = `${t.testdir({ token: TOKEN })}/token`;
  const { url, lines, level } = await adminOn(t, [route], { tokenFile, clock: HASTY, bounds: BOUNDS });
  const port = Number(new URL(url).port);
  const statuses = new Map<string, number>();
  const wrong: unknown[] = [];
  for (let i = 0; i < CONNECTIONS; i += AT_ONCE) {
    const batch = Array.from({ length: AT_ONCE }, () => garbage(random));
    for (const [index, answer] of (
      await Promise.all(batch.map((bytes, place) => say(port, bytes, place % 2 === 0)))
    ).entries()) {
      const found = [...answer.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status = '']) => status);
      for (const status of found) statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const fine =
        answer === '' || (answer.startsWith('HTTP/1.1 ') && found.every((status) => /^(200|4\d\d)$/.test(status)));
      if (!fine) wrong.push([batch[index]?.toString('latin1'), answer]);
    }
  }
  t.strictSame(wrong, [], `with SEED=${seed}`);
  t.strictSame(route.calls, [], 'nothing was done');
  t.equal(level.level, 'info');
  t.strictSame(
    lines.filter(({ message }) => !message.includes('without the right token')),
    [],
    'nothing failed inside',
  );
  for (const status of ['200', '400', '401']) t.ok(statuses.has(status), `the garbage is of many kinds: ${status}`);
  t.equal((await ask(`${url}/v1/version`)).status, 200);
  const headers = { authorization: `Bearer ${TOKEN}` };
  t.equal((await ask(`${url}/v1/reap`, { method: 'POST', headers })).status, 200);
});

t.test('a connection in the middle of garbage can be closed', async (t) => {
  const { url, close } = await adminOn(t);
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
  t.teardown(() => socket.destroy());
  socket.write('GET /v1/ro');
  await once(socket, 'connect');
  const closed = new Promise((resolve) => socket.once('close', resolve));
  await close();
  await closed;
  t.pass('both ends are gone');
});
