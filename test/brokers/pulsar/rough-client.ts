/** A client of Pulsar that behaves badly, over a socket of its own. */
import { connect, type Socket } from 'node:net';
import type { CommandName, FieldsOf } from '../../support/pulsar/commands.ts';
import { type Frame, FrameSplitter, frame } from '../../support/pulsar/frames.ts';
import { until } from '../until.ts';

const LARGEST = 16 * 1024 * 1024;
const WITHIN_MILLISECONDS = 15_000;

export class RoughClient {
  readonly #socket: Socket;
  readonly #frames: Frame[] = [];
  #closed = false;

  /** @param url `pulsar://host:port` */
  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname);
    const splitter = new FrameSplitter(LARGEST);
    this.#socket.on('data', (bytes) => splitter.push(bytes, (each) => this.#frames.push(each)));
    this.#socket.on('close', () => {
      this.#closed = true;
    });
    // A socket that is reset is closed as well, which is what matters here.
    this.#socket.on('error', () => undefined);
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  send<N extends CommandName>(name: N, fields: FieldsOf<N>, payload?: Buffer): void {
    this.write(frame(name, fields, payload));
  }

  /** The first command of that name, once it has come. */
  async heard<N extends CommandName>(name: N): Promise<FieldsOf<N>> {
    let fields: FieldsOf<N> | undefined;
    await until(`${name} to come`, WITHIN_MILLISECONDS, () => {
      const found = this.#frames.find(({ command }) => command.name === name)?.command;
      if (found !== undefined && 'fields' in found) fields = found.fields as FieldsOf<N>;
      const names = this.#frames.map(({ command }) => command.name).join(', ');
      return fields === undefined ? `${this.#closed ? 'closed' : 'open'}, heard: ${names}` : true;
    });
    if (fields === undefined) throw new Error(`${name} has not come`);
    return fields;
  }

  async closed(): Promise<void> {
    await until('the socket to be closed', WITHIN_MILLISECONDS, () => (this.#closed ? true : 'it is open'));
  }

  /** Says CONNECT, to a broker if one is named as `host:port`, and waits for the answer. */
  async connect(broker?: string): Promise<void> {
    this.send('CONNECT', {
      clientVersion: 'rough',
      protocolVersion: 21,
      ...(broker === undefined ? {} : { proxyToBrokerUrl: broker }),
    });
    await this.heard('CONNECTED');
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
