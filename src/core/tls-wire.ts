/**
 * A wire over TLS.
 *
 * Node encrypts what it is given at once and into memory of its own, so the buffer of a write is free when `write` returns,
 * provided that no other write is under way: one that has to wait behind another is kept by reference. And a write is under
 * way until the loop has come round, even if the kernel took all of it. So a short one that must wait is copied, and a
 * long one makes whoever writes wait.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { failureDetail, handshakeDetail } from './tls-failure.ts';
import type { Wire, WireEnd, WireHandler } from './wire.ts';

/** More than this is not copied for one connection at a time. */
const COPY_BYTES = 64 * 1024;

/** What was agreed with the other side, and whom its certificate is for. */
export interface TlsAgreement {
  /** For example `TLSv1.3`. */
  readonly version: string;
  /** As X.509 names are written. */
  readonly subject: string;
  /** Host names and addresses, as the certificate has them: `DNS:broker-1, IP Address:10.0.0.7`. */
  readonly names: string;
  /** Seconds since 1970. */
  readonly expiry: number;
}

/** How a stream is read. */
export interface TlsReader {
  pause(): void;
  resume(): void;
  /** Something was read and not handed over, for the stream is paused. */
  readonly holding: boolean;
  /** Told once nothing is held any more and the end was told. */
  whenRead: (() => void) | null;
  /** The peer's end, behind what is held back. */
  end(): void;
  relax(): void;
  free(): void;
}

export class TlsWire implements Wire {
  handler: WireHandler | null = null;
  readonly peerName: string | null;
  readonly #socket: TLSSocket;
  readonly #reader: TlsReader;
  /** Below an accepted one. */
  readonly #raw: Socket | null;
  /** Writes that are not done. */
  #writes = 0;
  /** Bytes that wait in copies. */
  #copied = 0;
  /** Somebody waits for `onFlushed`, or may have seen `pending`. */
  #tells = false;
  /** The last write answered false. */
  #full = false;
  #secured = false;
  #errorDetail = '';
  readonly #written = (): void => this.#oneWritten();

  constructor(socket: TLSSocket, reader: TlsReader, raw: Socket | null, peerName: string | null) {
    this.#socket = socket;
    this.#reader = reader;
    this.#raw = raw;
    this.peerName = peerName;
    socket.on('error', (error: NodeJS.ErrnoException) => this.#failed(error));
    socket.on('close', () => {
      // Both sides ended in good order, and the last of what was read waits for its handler.
      if (this.#errorDetail === '' && reader.holding) reader.whenRead = () => this.#closed();
      else this.#closed();
    });
  }

  /** The handshake is done, and whoever had to be verified was. */
  secured(): void {
    this.#secured = true;
    this.#socket.on('end', () => this.#reader.end());
  }

  /** For those who look at a single connection; null before the handshake is done. */
  agreement(): TlsAgreement | null {
    const certificate = this.#secured ? this.#socket.getPeerX509Certificate() : undefined;
    if (certificate === undefined) return null;
    return {
      version: this.#socket.getProtocol() ?? '',
      subject: certificate.subject?.replaceAll('\n', ',') ?? '',
      names: certificate.subjectAltName ?? '',
      expiry: Math.floor(certificate.validToDate.getTime() / 1000),
    };
  }

  get remote(): string {
    return `${this.#socket.remoteAddress ?? ''}:${this.#socket.remotePort ?? ''}`;
  }

  get pending(): boolean {
    return this.#writes > 0 && (this.#full || this.#kernelQueue > 0);
  }

  get unsentBytes(): number {
    return this.#socket.writableLength + this.#kernelQueue;
  }

  /** What the kernel has not taken of what was encrypted; 0 also if Node no longer tells. */
  get #kernelQueue(): number {
    const size: unknown = Reflect.get(
      Reflect.get(Reflect.get(this.#socket, '_handle') ?? {}, '_parent') ?? {},
      'writeQueueSize',
    );
    return typeof size === 'number' ? size : 0;
  }

  write(bytes: Buffer): boolean {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded || bytes.length === 0) return true;
    this.#writes += 1;
    if (this.#writes === 1) {
      socket.write(bytes, this.#written);
      this.#full = this.#kernelQueue > 0;
    } else if (this.#copied + bytes.length <= COPY_BYTES) {
      this.#copied += bytes.length;
      socket.write(Buffer.from(bytes), this.#written);
      this.#tells = true;
    } else {
      socket.write(bytes, this.#written);
      this.#full = true;
    }
    this.#tells ||= this.#full;
    return !this.#full;
  }

  #oneWritten(): void {
    this.#writes -= 1;
    if (this.#writes > 0) return;
    this.#copied = 0;
    this.#full = false;
    if (!this.#tells) return;
    this.#tells = false;
    if (!this.#socket.destroyed) this.handler?.onFlushed();
  }

  pause(): void {
    this.#reader.pause();
  }
  resume(): void {
    this.#reader.resume();
  }
  /** Our close_notify, and a FIN behind it. */
  end(): void {
    this.#socket.end();
  }
  destroy(): void {
    this.#reader.free();
    this.#socket.destroy();
    if (this.#reader.whenRead !== null) setImmediate(() => this.#closed());
  }
  relax(): void {
    this.#reader.relax();
  }

  /** A dialled one cannot be reset without Node's private parts, and ends abruptly in the ordinary way. */
  reset(): void {
    // The kernel refuses a RST while a FIN is under way, and Node would then forget the socket without closing it.
    if (this.#raw === null || this.#socket.writableEnded || this.#socket.destroyed) this.destroy();
    else this.#raw.resetAndDestroy();
  }

  #failed(error: NodeJS.ErrnoException): void {
    this.#errorDetail = this.#secured ? failureDetail(error) : handshakeDetail(error);
    this.#socket.destroy(); // a fatal alert is an end in good order for Node, once the error was told
  }

  #closed(): void {
    this.#reader.free();
    this.#reader.whenRead = null;
    const detail = this.#errorDetail;
    const how: WireEnd = detail === '' ? 'closed' : detail === 'ECONNRESET' || detail === 'EPIPE' ? 'reset' : 'error';
    this.handler?.onClosed(how, detail);
    this.handler = null;
  }
}
