/**
 * One identity of a route: the login in force with its pools, and the one that will follow it.
 *
 *   read, awake    the new login is tried over one connection of its own, and takes over when a broker has taken it
 *   read, asleep   the new login takes over at once; if it is refused, the one before comes back
 *   refused        the new one takes over untried if there is one
 *
 * When a login takes over, the connections of the one before are condemned: they go when free, and those who waited for
 * them wait for the new ones. So a wrong secret disturbs nobody, and no connection is shared between two logins.
 */
import { type DialFailure, isRefusal } from '../contract/reasons.ts';
import type { Clock } from './clock.ts';
import type { Login, LoginSource } from './login.ts';
import type { Pool } from './pool.ts';
import type { RefusedLogins } from './refused-logins.ts';
import { Standing } from './standing.ts';

export type IdentityChange = 'read' | 'accepted' | 'refused';

export interface IdentityHooks {
  readonly clock: Clock;
  readonly refusedLogins: RefusedLogins;
  makePool(broker: string, identity: Identity, standing: Standing): Pool;
  /** Its connections go when free; those who wait ask again. */
  retire(pool: Pool): void;
  changed(identity: Identity, change: IdentityChange, detail: string): void;
}

export class Identity {
  readonly name: string;
  readonly #hooks: IdentityHooks;
  /** Of the login in force, by broker. */
  readonly #pools = new Map<string, Pool>();
  #standing: Standing;
  /** Read, and not in force yet. */
  #candidate: Standing | null = null;
  #trial: Pool | null = null;
  /** The login before, while the one in force has not been taken by any broker. */
  #before: Standing | null = null;
  /** The one in force was read under way, and no broker has taken it yet. */
  #unproven = false;

  constructor(source: LoginSource, hooks: IdentityHooks) {
    this.name = source.name;
    this.#hooks = hooks;
    this.#standing = new Standing(source.login, hooks.refusedLogins);
  }

  find(broker: string): Pool | undefined {
    return this.#pools.get(broker);
  }

  /** The pool for somebody who asks. */
  get(broker: string): Pool {
    // Another user who is the same account may have been refused.
    const standing = this.#standing;
    const held = standing.refused && standing.holdMilliseconds(this.#hooks.clock.now()) > 0;
    if (held && this.#asleep) this.#giveWay(true, null);
    return this.#get(broker);
  }

  #get(broker: string): Pool {
    let pool = this.#pools.get(broker);
    if (pool === undefined) {
      pool = this.#hooks.makePool(broker, this, this.#standing);
      this.#pools.set(broker, pool);
    }
    return pool;
  }

  *[Symbol.iterator](): Generator<Pool> {
    yield* [...this.#pools.values()];
    if (this.#trial !== null) yield this.#trial;
  }

  /** Brokers refused it, or it cannot be shown to them: others may be taken. */
  get barred(): boolean {
    return this.#standing.refused || [...this.#pools.values()].some(({ supply }) => supply.turnedAway);
  }

  /** And it is not tried again just now. */
  isHeld(now: number): boolean {
    if (this.#standing.holdMilliseconds(now) > 0) return true;
    return [...this.#pools.values()].some(({ supply }) => supply.turnedAway && supply.pauseMilliseconds(now) > 0);
  }

  /** No connection is open or being opened under the login in force. */
  get #asleep(): boolean {
    return [...this.#pools.values()].every((pool) => pool.asleep && pool.supply.dialing === 0);
  }

  /** The pool is only there to see whether a login is taken: what becomes of it says nothing of the broker. */
  isTrial(pool: Pool): boolean {
    return pool === this.#trial;
  }

  /** The broker has another address, or is gone. */
  forget(broker: string): void {
    const pool = this.#pools.get(broker);
    this.#pools.delete(broker);
    if (pool !== undefined) this.#hooks.retire(pool);
    if (this.#trial?.broker === broker) this.#endTrial();
    this.#try();
  }

  /** Its source has a newer login. */
  read(login: Login): void {
    const { fingerprint } = login;
    if (fingerprint === this.#candidate?.login.fingerprint) return;
    this.#endTrial();
    this.#candidate = null;
    if (fingerprint === this.#standing.login.fingerprint) return;
    this.#hooks.changed(this, 'read', '');
    const standing = new Standing(login, this.#hooks.refusedLogins);
    if (this.#asleep) {
      this.#takeOver(standing, this.#standing.accepted ? this.#standing : this.#before);
      this.#unproven = true;
    } else {
      this.#candidate = standing;
      this.#try();
    }
  }

  /** A connection of this pool was opened. */
  accepted(pool: Pool): void {
    if (pool === this.#trial) {
      this.#takeOver(pool.standing, null, pool);
      this.#hooks.changed(this, 'accepted', '');
    } else if (pool.standing === this.#standing) {
      if (this.#unproven) this.#hooks.changed(this, 'accepted', '');
      this.#unproven = false;
      this.#before = null;
      this.#try();
    }
  }

  /** A broker does not take the login, or it cannot be shown. True: another one took over, and this pool is retired. */
  refused(pool: Pool, failure: DialFailure, detail: string): boolean {
    if (pool === this.#trial) {
      this.#hooks.changed(this, 'refused', detail);
      return false;
    }
    if (pool.standing !== this.#standing) return false;
    if (this.#unproven) this.#hooks.changed(this, 'refused', detail);
    return this.#giveWay(isRefusal(failure), pool);
  }

  /**
   * The login in force is of no use, at one broker at least. True: another one took over.
   *
   * @param isOver no broker will take it; else, where connections are open, the trial shows which one is better
   * @param refused the pool whose dial is made again with the other one
   */
  #giveWay(isOver: boolean, refused: Pool | null): boolean {
    const now = this.#hooks.clock.now();
    const [standing, candidate, before] = [this.#standing, this.#candidate, this.#before];
    if (candidate?.isPromising(now) === true && (isOver || this.#asleep)) {
      this.#endTrial();
      this.#takeOver(candidate, standing.accepted && !isOver ? standing : null, null, refused);
      this.#unproven = true;
      return true;
    }
    if (before === null || (refused === null && !before.isPromising(now))) return false;
    this.#takeOver(before, null, null, refused);
    this.#candidate = standing;
    return true;
  }

  /** Nobody asked for this pool's broker for long. True: it is a trial, which goes on as long as anything is open. */
  gaveUp(pool: Pool): boolean {
    if (pool !== this.#trial) return false;
    if (this.#asleep) this.#endTrial();
    else this.#ask(pool);
    return true;
  }

  /** The identity is gone. */
  end(): void {
    this.#endTrial();
    this.#candidate = null;
    const pools = [...this.#pools.values()];
    this.#pools.clear();
    for (const pool of pools) this.#hooks.retire(pool);
  }

  #try(): void {
    if (this.#candidate === null || this.#trial !== null) return;
    const awake = [...this.#pools.values()].find((pool) => !pool.asleep);
    if (awake === undefined) return;
    this.#trial = this.#hooks.makePool(awake.broker, this, this.#candidate);
    this.#ask(this.#trial);
  }

  #ask({ supply }: Pool): void {
    supply.asked();
    supply.want();
  }

  #endTrial(): void {
    const trial = this.#trial;
    this.#trial = null;
    if (trial !== null) this.#hooks.retire(trial);
  }

  /**
   * @param proven the pool of the new login that there is already
   * @param refused the pool whose dial is made again
   */
  #takeOver(
    standing: Standing,
    before: Standing | null,
    proven: Pool | null = null,
    refused: Pool | null = null,
  ): void {
    const old = [...this.#pools.values()];
    this.#pools.clear();
    if (proven !== null) this.#pools.set(proven.broker, proven);
    this.#standing = standing;
    this.#before = before;
    this.#candidate = null;
    this.#trial = null;
    this.#unproven = false;
    for (const pool of old) {
      const { reachable, doubtful } = pool.supply;
      // Whether that broker is well was not known, and a new secret does not tell.
      if ((!reachable || doubtful) && pool.broker !== proven?.broker) this.#get(pool.broker).supply.doubtful = true;
      this.#hooks.retire(pool);
      // Somebody was refused for want of the old login: whether the new one helps is found out now.
      if (reachable && pool !== refused) continue;
      const next = this.#get(pool.broker);
      if (next.asleep && next.supply.dialing === 0) this.#ask(next);
    }
  }
}
