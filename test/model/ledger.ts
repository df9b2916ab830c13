/**
 * What passed over one broker connection, kept by reading along on both sides of the product: who wrote what, what was
 * answered, and whether the next writer was allowed to write.
 */

import { KINDS } from '../support/line-client-session.ts';
import { type Frame, FrameReader } from '../support/line-frames.ts';
import type { World } from './world.ts';

interface Entry {
  readonly id: string;
  /** Number of the application; null: the product's own. */
  readonly app: number | null;
  readonly word: string;
  answered: boolean;
}

export class Ledger {
  readonly id: string;
  readonly address: string;
  /** Valid data passed last, or the connection was made. */
  lastWork: number;
  readonly #world: World;
  readonly #written = new FrameReader();
  readonly #read = new FrameReader();
  readonly #entries: Entry[] = [];
  #lastRead: number;
  /** When the first byte of the request under way was written. */
  #began = 0;
  /** When the first byte of the answer under way was read: a mute counts from there. */
  #answerBegan = 0;
  #mutedUntil = 0;
  #mutedFor: number | null = null;
  #pinnedBy: number | null = null;
  #pinnedHard = false;
  /** Who the broker takes the connection for. */
  #user = '';
  #loginTime = Number.POSITIVE_INFINITY;
  /** The broker broke the protocol: nothing can be said any more. */
  #void = false;

  constructor(id: string, address: string, world: World) {
    this.id = id;
    this.address = address;
    this.#world = world;
    this.lastWork = world.now;
    this.#lastRead = world.now;
  }

  /** Answers that are owed, and requests without an answer that nothing proves to have been read. */
  get open(): string[] {
    const lastAnswered = this.#entries.findLastIndex(({ answered }) => answered);
    return this.#entries.flatMap(({ id, word, answered }, index) => {
      const done = isSilent(word) ? index < lastAnswered : answered;
      return done ? [] : [id];
    });
  }

  /** Ids of an application's requests that went over this connection. */
  requestsOf(app: number): string[] {
    return this.#entries.flatMap((entry) => (entry.app === app ? [entry.id] : []));
  }

  get inRequest(): boolean {
    return this.#written.partial > 0;
  }

  wrote(bytes: Buffer): void {
    if (this.#written.partial === 0) this.#began = this.#world.now;
    for (const { frame, body } of this.#written.push(Buffer.from(bytes))) {
      this.#wroteFrame(frame, body);
      this.#began = this.#world.now;
    }
  }

  #wroteFrame(frame: Frame, body: Buffer): void {
    const world = this.#world;
    const app = appOf(frame.id);
    if (frame.word === 'login') {
      this.#user = frame.keys.get('user') ?? '';
      this.#loginTime = world.now;
    }
    if (app !== null) this.#mayWrite(app, frame, body);
    this.#entries.push({ id: frame.id, app, word: frame.word, answered: false });
    if (KINDS[frame.word]?.work === true) this.lastWork = world.now;
    if (frame.word === 'odd' || frame.word === 'share') {
      this.#pinnedBy = app;
      this.#pinnedHard ||= frame.word === 'share';
    }
  }

  #mayWrite(app: number, frame: Frame, body: Buffer): void {
    const world = this.#world;
    const where = `${frame.id} on ${this.id}`;
    const user = world.find(app)?.user ?? '';
    if (user !== this.#user) world.violated(`${where}, which is of ${this.#user} and not of ${user}`);
    if (world.sessionMilliseconds > 0 && this.#began >= this.#loginTime + world.sessionMilliseconds)
      world.violated(`${where}, whose session is over`);
    // A fence of the product's may be open behind its own requests, but nothing before somebody else's.
    const sameApp = this.#entries.findLast((entry) => entry.app !== null)?.app === app;
    const open = this.open;
    const isForeign = (entry: Entry): boolean => (entry.app === null ? !sameApp : entry.app !== app);
    const foreign = this.#entries.filter((entry) => isForeign(entry) && open.includes(entry.id));
    if (foreign.length > 0 && !this.#void) world.violated(`${where} while ${foreign[0]?.id ?? ''} is open`);
    if (world.now < this.#mutedUntil && this.#mutedFor !== app) world.violated(`${where} while muted for another`);
    if (this.#pinnedBy !== null && this.#pinnedBy !== app) {
      if (this.#pinnedHard || world.isServed(this.#pinnedBy)) world.violated(`${where}, which is pinned to another`);
    }
    if (this.#began - this.#lastRead > world.validateAfterMilliseconds && !sameApp)
      world.violated(`${where}, lent without a sign of life`);
    if (!body.equals(Buffer.alloc(body.length, frame.id))) world.violated(`${where}: the body was changed`);
    world.requestWritten(app, frame.id);
  }

  read(bytes: Buffer): void {
    if (this.#void) return;
    this.#lastRead = this.#world.now;
    if (this.#read.partial === 0) this.#answerBegan = this.#world.now;
    try {
      for (const { frame } of this.#read.push(Buffer.from(bytes))) {
        this.#readFrame(frame);
        this.#answerBegan = this.#world.now;
      }
    } catch {
      this.#void = true;
    }
  }

  #readFrame(frame: Frame): void {
    const entry = this.#entries.find(({ word, answered }) => !answered && !isSilent(word));
    if (entry === undefined || entry.id !== frame.id) {
      this.#void = true;
      return;
    }
    entry.answered = true;
    if (KINDS[entry.word]?.work === true) this.lastWork = this.#world.now;
    const mute = Number(frame.keys.get('mute') ?? 0);
    if (mute > 0) {
      this.#mutedUntil = this.#answerBegan + mute;
      this.#mutedFor = entry.app;
    }
  }
}

function isSilent(word: string): boolean {
  return KINDS[word]?.silent === true;
}

/** Applications number their requests `a<application>-<n>`. */
export function appOf(id: string): number | null {
  const match = /^a(\d+)-/.exec(id);
  return match === null ? null : Number(match[1]);
}
