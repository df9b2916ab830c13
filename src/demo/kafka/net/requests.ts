/** The requests that brokers have received, and what a script may do to each of them. */
import type { Answer } from '../handlers/service.ts';
import type { BrokerConnection } from './connection.ts';

export interface ReceivedRequest {
  readonly node: number;
  /** Of the connection; unique in its cluster. */
  readonly connection: number;
  /** The API's name, or `api N` if it is not served. */
  readonly api: string;
  readonly key: number;
  readonly version: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  /** Of a Produce request. */
  readonly acks: number | null;
  /** Of the frame, its length included. */
  readonly bytes: number;
  /** Milliseconds of `performance.now()`, when its turn had come. */
  readonly time: number;
}

export interface RequestAtHand extends ReceivedRequest {
  /** As decoded; empty if the API is not served. */
  readonly body: Answer;
}

/** What is not said stays as a broker does it; the parts may be combined. */
export interface RequestPlan {
  /** Served only then. */
  readonly delayMilliseconds?: number;
  /** So many bytes of the answer, then FIN, or RST. The request has had its effect. */
  readonly closeAfterBytes?: number;
  readonly resetAfterBytes?: number;
  readonly corrupt?: 'correlation' | 'length' | 'negative length';
  /** The answer says so, and the connection is not read for so long. */
  readonly throttleMilliseconds?: number;
  /** Another answer, made from the right one. */
  readonly change?: (answer: Answer) => Answer;
  /** Not served, but answered with these bytes behind the correlation id, whatever the API is. */
  readonly answerBytes?: Buffer;
}

/**
 * What happens to a request. `stall`: it is never answered, nor is anything behind it. `close` and `reset`: it is not
 * served, and the connection ends with FIN or RST.
 */
export type RequestAction = 'answer' | 'stall' | 'close' | 'reset' | RequestPlan;

/** `undefined` leaves it to the next hook, and at last means `answer`. A promise holds the connection up. */
export type RequestHook = (
  connection: BrokerConnection,
  request: RequestAtHand,
) => RequestAction | undefined | Promise<RequestAction | undefined>;

export class RequestLog {
  #entries: ReceivedRequest[] = [];
  readonly #most: number;

  /** @param most the older half is dropped when there are more */
  constructor(most: number) {
    this.#most = most;
  }

  get entries(): readonly ReceivedRequest[] {
    return this.#entries;
  }

  add({ body: _, ...request }: RequestAtHand): void {
    this.#entries.push(request);
    if (this.#entries.length > this.#most) this.#entries = this.#entries.slice(this.#entries.length >> 1);
  }

  clear(): void {
    this.#entries = [];
  }
}
