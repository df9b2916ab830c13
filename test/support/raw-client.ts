/** A Kafka client of frames, for what client libraries do not do. */

import { connect, type Socket } from 'node:net';
import type { Test } from 'tap';
import { FrameSplitter } from '../../src/demo/kafka/net/frame-splitter.ts';
import { type Api, readResponse, writeRequest } from '../../src/demo/kafka/wire/api.ts';
import { until } from './until.ts';

/** How a connection ended. */
export type Ending = 'open' | 'fin' | 'reset';

export class RawClient {
  /** Frames that nobody has taken yet, without their sizes. */
  readonly frames: Buffer[] = [];
  readonly received: Buffer[] = [];
  ending: Ending = 'open';
  readonly socket: Socket;
  readonly #splitter = new FrameSplitter();
  #correlationId = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.received.push(bytes);
      this.frames.push(...this.#splitter.push(bytes));
    });
    socket.on('end', () => {
      if (this.ending === 'open') this.ending = 'fin';
    });
    socket.on('error', () => {
      this.ending = 'reset';
    });
  }

  static connect(t: Test, port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }, () => resolve(new RawClient(socket)));
      socket.once('error', reject);
      t.teardown(() => socket.destroy());
    });
  }

  /** Every byte that came. */
  get bytes(): Buffer {
    return Buffer.concat(this.received);
  }

  /** @returns its correlation id */
  send<W>(api: Api<unknown, W, unknown, never>, version: number, body: W): number {
    const correlationId = this.#correlationId;
    this.#correlationId += 1;
    this.socket.write(writeRequest(api, { key: api.key, version, correlationId, clientId: 'raw' }, body));
    return correlationId;
  }

  /** The next frame that comes. */
  async frame(withinMilliseconds?: number): Promise<Buffer> {
    await until('a frame', () => this.frames.length > 0 || this.ending !== 'open', withinMilliseconds);
    const frame = this.frames.shift();
    if (frame === undefined) throw new Error(`the connection ended with ${this.ending} and not with an answer`);
    return frame;
  }

  async ask<W, R>(api: Api<unknown, W, R, never>, version: number, body: W): Promise<R> {
    const correlationId = this.send(api, version, body);
    const payload = await this.frame();
    if (payload.readInt32BE() !== correlationId)
      throw new Error(`${api.name}: answer ${payload.readInt32BE()} to request ${correlationId}`);
    return readResponse(api, version, payload);
  }

  async ended(withinMilliseconds?: number): Promise<Ending> {
    await until('the end of the connection', () => this.ending !== 'open', withinMilliseconds);
    return this.ending;
  }
}
