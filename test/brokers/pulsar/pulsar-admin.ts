/** The brokers' admin interface over HTTP, as far as these tests use it. */

const WITHIN_MILLISECONDS = 30_000;

export interface TopicStats {
  readonly publishers: readonly {
    readonly producerName: string;
    readonly address?: string;
    readonly clientVersion?: string;
  }[];
  readonly subscriptions: Readonly<Record<string, { readonly type?: string; readonly msgBacklog: number }>>;
  readonly msgInCounter: number;
}

export class PulsarAdmin {
  readonly #web: string;
  readonly #headers: Readonly<Record<string, string>>;

  /**
   * @param web `host:port`
   * @param token undefined: brokers ask nobody
   */
  constructor(web: string, token: string | undefined) {
    this.#web = web;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /**
   * @param path below `/admin/v2/`
   * @throws Error with the broker's reason for any status but 2xx
   */
  async ask(method: 'GET' | 'PUT' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<string> {
    const answer = await fetch(`http://${this.#web}/admin/v2/${path}`, {
      method,
      signal: AbortSignal.timeout(WITHIN_MILLISECONDS),
      headers: { ...this.#headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
    return text;
  }

  /** @param topic in public/default, or `tenant/namespace/name` */
  async stats(topic: string): Promise<TopicStats> {
    return JSON.parse(await this.ask('GET', `persistent/${whole(topic)}/stats`)) as TopicStats;
  }

  async createPartitioned(topic: string, partitions: number): Promise<void> {
    await this.ask('PUT', `persistent/${whole(topic)}/partitions`, partitions);
  }

  async delete(topic: string, force = false): Promise<void> {
    await this.ask('DELETE', `persistent/${whole(topic)}?force=${force}`);
  }

  /** The bundle that a topic is in, `0x00000000_0x40000000`. */
  async bundle(topic: string): Promise<string> {
    return (await this.ask('GET', `../../lookup/v2/topic/persistent/${whole(topic)}/bundle`)).replaceAll('"', '');
  }

  /** `host:port` of the internal listener of the broker that owns a topic; looks it up, and so has it owned. */
  async owner(topic: string): Promise<string> {
    const text = await this.ask('GET', `../../lookup/v2/topic/persistent/${whole(topic)}`);
    const { brokerUrl } = JSON.parse(text) as { brokerUrl: string };
    return new URL(brokerUrl).host;
  }

  /** Has a bundle given up, to `destination` as in `brokers()`, if that is said. */
  async unload(namespace: string, bundle: string, destination?: string): Promise<void> {
    const to = destination === undefined ? '' : `?destinationBroker=${destination}`;
    await this.ask('PUT', `namespaces/${namespace}/${bundle}/unload${to}`);
  }

  /** What brokers call each other: hosts may be names, ports are those of the admin interface. */
  async brokers(): Promise<string[]> {
    return JSON.parse(await this.ask('GET', 'brokers')) as string[];
  }

  async createNamespace(name: string, policies: object = {}): Promise<void> {
    await this.ask('PUT', `namespaces/${name}`, policies);
  }

  async permit(namespace: string, role: string): Promise<void> {
    await this.ask('POST', `namespaces/${namespace}/permissions/${role}`, ['produce', 'consume']);
  }

  /** Brokers read no more of a topic of it than so much. */
  async limitPublishing(namespace: string, messagesPerSecond: number): Promise<void> {
    const rate = { publishThrottlingRateInMsg: messagesPerSecond, publishThrottlingRateInByte: -1 };
    await this.ask('POST', `namespaces/${namespace}/publishRate`, rate);
  }
}

/** `tenant/namespace/name` of a topic. */
export function whole(topic: string): string {
  return topic.includes('/') ? topic.replace(/^persistent:\/\//, '') : `public/default/${topic}`;
}
