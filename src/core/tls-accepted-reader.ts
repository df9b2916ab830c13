/**
 * Accepted secured streams that read into buffers of ours, as dialled ones do.
 *
 * Node offers `onread` for sockets that it dials only, and gives every record of others a buffer of its own, which for
 * bulk costs twice the CPU. What is private to Node is looked for, and without it records come in the ordinary way.
 */
import net from 'node:net';
import { SecuredReader } from './tls-reader.ts';

const SYMBOLS = new Map(
  Object.getOwnPropertySymbols(new net.Socket()).map((symbol) => [symbol.description ?? '', symbol]),
);
const [kept, callback, generator] = ['kBuffer', 'kBufferCb', 'kBufferGen'].map((name) => SYMBOLS.get(name));

/** @param socket whose handshake is done a moment ago: nothing was read */
export function acceptedReader(socket: net.Socket): SecuredReader {
  const reader = new SecuredReader(true);
  reader.socket = socket;
  const handle: unknown = Reflect.get(socket, '_handle');
  const use: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'useUserBuffer') : undefined;
  if (kept === undefined || callback === undefined || generator === undefined || typeof use !== 'function') {
    socket.on('data', (chunk: Buffer) => reader.wire?.handler?.onBytes(chunk, chunk.length));
    return reader;
  }
  const put = (space: Buffer): void => {
    if (socket.destroyed) return;
    Reflect.set(socket, kept, space);
    Reflect.apply(use, handle, [space]);
  };
  Reflect.set(socket, generator, () => reader.space);
  Reflect.set(socket, callback, (length: number) => {
    reader.read(length);
    return true;
  });
  put(reader.space);
  reader.replace = put;
  return reader;
}
