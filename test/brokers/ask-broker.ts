/** One request and its answer, on a connection of its own. */
import { once } from 'node:events';
import { connect } from 'node:net';

const SIZE_BYTES = 4;

/**
 * @param request from the api key on, without its size
 * @returns the answer from the correlation id on, without its size
 */
export async function askBroker(port: number, request: Buffer): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    const size = Buffer.alloc(SIZE_BYTES);
    size.writeInt32BE(request.length);
    socket.write(Buffer.concat([size, request]));
    let answer = Buffer.alloc(0);
    while (answer.length < SIZE_BYTES || answer.length < SIZE_BYTES + answer.readInt32BE(0)) {
      const [more] = (await once(socket, 'data')) as [Buffer];
      answer = Buffer.concat([answer, more]);
    }
    return answer.subarray(SIZE_BYTES);
  } finally {
    socket.destroy();
  }
}
