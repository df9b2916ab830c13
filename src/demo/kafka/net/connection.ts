/**
 * One accepted connection. As at a real broker its requests are served strictly one at a time, in their order: behind
 * one that is held, everything waits.
 */
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { HANG_UP, type Service } from '../handlers/service.ts';
import { SERVICES } from '../handlers/services.ts';
import { readRequest, readRequestHeader } from '../wire/api.ts';
import { answerOf } from './answer.ts';
import type { Broker } from './broker.ts';
import { distort } from './distortion.ts';
import { FrameSplitter } from './frame-splitter.ts';
import { Gate } from './gate.ts';
import type { RequestAtHand, RequestPlan } from './requests.ts';

const PRODUCE = 0;
const API_VERSIONS = 18;

export class BrokerConnection {
  readonly id: number;
  readonly broker: Broker;
  /** The other end, as `host:port`. */
  readonly remote: string;
  /** Its answers go out a byte at a time. */
  trickles = false;
  /** What the client calls itself since ApiVersions 3. */
  softwareName: string | null = null;
  bytesIn = 0;
  bytesOut = 0;
  readonly #socket: Socket;
  readonly #frames = new FrameSplitter();
  readonly #queue: Buffer[] = [];
  readonly #gone = new AbortController();
  readonly #gate = new Gate();
  #isServing = false;
  #hasEnded = false;

  constructor(id: number, broker: Broker, socket: Socket) {
    this.id = id;
    this.broker = broker;
    this.remote = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#socket = socket;
    socket.on('data', (bytes) => this.#read(bytes));
    socket.on('end', () => {
      this.#hasEnded = true;
      this.#gone.abort();
      void this.#serve();
    });
    // A reset is an ordinary way for a client to go; `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#gone.abort());
    if (broker.isFrozen) socket.pause();
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }
  /** A request is being served, or waits to be. */
  get isBusy(): boolean {
    return this.#isServing;
  }

  /** Bytes that nobody asked for. */
  send(bytes: Buffer): void {
    this.bytesOut += bytes.length;
    this.broker.bytesOut += bytes.length;
    this.#socket.write(bytes);
  }

  /** FIN, behind what was written; as at a broker, the peer is not listened to any more. */
  end(): void {
    this.#gone.abort();
    this.#socket.destroySoon();
  }

  /** RST. */
  reset(): void {
    this.#gone.abort();
    // Node forgets a socket without closing it that is reset while a FIN is under way.
    if (this.#socket.writableEnded) this.#socket.destroy();
    else this.#socket.resetAndDestroy();
  }

  destroy(): void {
    this.#gone.abort();
    this.#socket.destroy();
  }

  /** Silence: nothing is read, served or written until `thaw`, and no close is noticed. */
  freeze(): void {
    this.#gate.shut();
    this.#socket.pause();
  }

  thaw(): void {
    this.#gate.open();
    if (!this.broker.isFrozen) this.#socket.resume();
  }

  /** The broker froze, or thawed. */
  follow(isFrozen: boolean): void {
    if (isFrozen || this.#gate.isShut) this.#socket.pause();
    else this.#socket.resume();
  }

  #read(bytes: Buffer): void {
    this.bytesIn += bytes.length;
    this.broker.bytesIn += bytes.length;
    try {
      this.#queue.push(...this.#frames.push(bytes));
    } catch (error) {
      this.#complain(error);
      return;
    }
    void this.#serve();
  }

  #complain(error: unknown): void {
    this.broker.complain(this, error);
    this.destroy();
  }

  async #serve(): Promise<void> {
    if (this.#isServing) return;
    this.#isServing = true;
    try {
      for (
        let payload = this.#queue.shift();
        payload !== undefined && this.#socket.writable;
        payload = this.#queue.shift()
      )
        await this.#turn(payload);
    } catch (error) {
      this.#complain(error);
    }
    this.#isServing = false;
    if (this.#hasEnded) this.#socket.end();
  }

  async #turn(payload: Buffer): Promise<void> {
    await this.#pass();
    const service = SERVICES.get(payload.length < 2 ? -1 : payload.readInt16BE());
    const request = this.#decode(payload, service);
    this.broker.note(request);
    const action = await this.#unlessGone(this.broker.decide(this, request));
    if (action === 'stall') await this.#unlessGone(new Promise(() => undefined));
    if (action === 'stall' || action === undefined) this.destroy();
    else if (action === 'close') this.end();
    else if (action === 'reset') this.reset();
    else await this.#answer(service, request, action === 'answer' ? {} : action);
  }

  #decode(payload: Buffer, service: Service | undefined): RequestAtHand {
    const { header, rest } = readRequestHeader(payload);
    const { key, version } = header;
    const isKnown = service !== undefined && version >= service.api.min && version <= service.api.max;
    const body = isKnown ? (readRequest(service.api, version, rest) as Record<string, unknown>) : {};
    if (key === API_VERSIONS && typeof body.clientSoftwareName === 'string')
      this.softwareName = body.clientSoftwareName || this.softwareName;
    return {
      ...header,
      node: this.broker.node,
      connection: this.id,
      api: service?.api.name ?? `api ${key}`,
      acks: key === PRODUCE && typeof body.acks === 'number' ? body.acks : null,
      bytes: payload.length + 4,
      time: performance.now(),
      body,
    };
  }

  async #answer(service: Service | undefined, request: RequestAtHand, plan: RequestPlan): Promise<void> {
    const { timers } = this.broker.state;
    const { signal } = this.#gone;
    if (plan.delayMilliseconds !== undefined) await timers.sleep(plan.delayMilliseconds, signal);
    const client = { remote: this.remote, signal };
    const bytes = await this.#unlessGone(answerOf(service, request, plan, this.broker, client));
    await this.#pass();
    if (bytes === undefined) this.destroy();
    else if (bytes === HANG_UP) this.end();
    if (bytes === undefined || typeof bytes === 'symbol' || !this.#socket.writable) return;
    const { sent, ending } = distort(bytes, plan);
    await this.#write(sent);
    if (ending === 'close') this.end();
    if (ending === 'reset') {
      this.#socket.write('', () => this.reset());
      await this.#unlessGone(new Promise(() => undefined)); // what was pipelined behind it is never served
    }
    if (plan.throttleMilliseconds !== undefined) await timers.sleep(plan.throttleMilliseconds, signal);
  }

  async #write(bytes: Buffer): Promise<void> {
    if (!this.trickles && !this.broker.trickles) {
      this.send(bytes);
      return;
    }
    for (let at = 0; at < bytes.length && this.isOpen; at += 1) {
      this.send(bytes.subarray(at, at + 1));
      await turn();
    }
  }

  async #pass(): Promise<void> {
    await this.broker.gate.pass(this.#gone.signal);
    await this.#gate.pass(this.#gone.signal);
  }

  /** `undefined` if the client has gone before it came: FIN counts, unless the work needs no waiting. */
  #unlessGone<T>(work: T | Promise<T>): Promise<T | undefined> | T {
    if (!(work instanceof Promise)) return work;
    const { signal } = this.#gone;
    return new Promise((resolve, reject) => {
      const leave = (): void => resolve(undefined);
      if (signal.aborted) setImmediate(leave);
      else signal.addEventListener('abort', leave, { once: true });
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });
  }
}
