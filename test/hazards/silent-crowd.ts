/** A process of clients that ask what a client library asks first, and then say nothing: `silent-crowd.ts PORT COUNT`. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { apiVersions } from '../../src/demo/kafka/messages/api-versions.ts';
import { metadata } from '../../src/demo/kafka/messages/metadata.ts';
import { FrameSplitter } from '../../src/demo/kafka/net/frame-splitter.ts';
import { writeRequest } from '../../src/demo/kafka/wire/api.ts';

const [port, count] = process.argv.slice(2).map(Number);

async function join(number: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: port ?? 0 });
  await once(socket, 'connect');
  const head = (key: number, version: number, correlationId: number) => ({
    ...{ key, version, correlationId, clientId: `client-${number}` },
  });
  socket.write(writeRequest(apiVersions, head(apiVersions.key, 0, 1), {}));
  socket.write(writeRequest(metadata, head(metadata.key, 9, 2), { topics: [{ name: 'orders' }] }));
  const splitter = new FrameSplitter();
  for (let answers = 0; answers < 2; ) {
    const [bytes] = await once(socket, 'data');
    answers += splitter.push(bytes).length;
  }
}

for (let number = 0; number < (count ?? 0); number += 1) await join(number);
process.send?.('silent');
process.once('disconnect', () => process.exit(0));
