/** What an upstream session tells the core, in order. Deliveries are kept apart, joined for each tenant. */
import type { UpstreamSink } from '../../src/contract/protocol.ts';
import type { CloseReason, DialFailure, ReleaseReason } from '../../src/contract/reasons.ts';
import type { Topology } from '../../src/contract/topology.ts';

export class RecordingSink implements UpstreamSink<string> {
  /** Everything but deliveries; `settled` says how many bytes this tenant had got by then. */
  readonly facts: string[] = [];
  readonly topologies: Topology[] = [];
  /** What the greeting went on with. */
  readonly replies: Buffer[] = [];
  failure: {
    readonly reason: ReleaseReason;
    readonly detail: string;
    readonly failure?: DialFailure | undefined;
  } | null = null;
  readonly #delivered = new Map<string, Buffer[]>();

  reply(bytes: Buffer): void {
    this.replies.push(bytes);
  }

  ready(): void {
    this.facts.push('ready');
  }

  deliver(tenant: string, bytes: Buffer, start: number, end: number): void {
    if (end <= start) throw new Error('an empty delivery');
    const parts = this.#delivered.get(tenant) ?? [];
    parts.push(Buffer.from(bytes.subarray(start, end)));
    this.#delivered.set(tenant, parts);
  }

  worked(): void {
    this.facts.push('worked');
  }
  settled(tenant: string): void {
    this.facts.push(`settled ${tenant} ${this.delivered(tenant).length}`);
  }
  ponged(): void {
    this.facts.push('ponged');
  }
  refreshed(): void {
    this.facts.push('refreshed');
  }
  muted(milliseconds: number): void {
    this.facts.push(`muted ${milliseconds}`);
  }

  prepared(tenant: string): void {
    this.facts.push(`prepared ${tenant}`);
  }
  again(tenant: string, request: Buffer): void {
    this.facts.push(`again ${tenant} ${request.toString('hex')}`);
  }
  close(tenant: string, reason: CloseReason, detail: string): void {
    this.facts.push(`close ${tenant} ${reason}: ${detail}`);
  }
  authenticate(): void {
    this.facts.push('authenticate');
  }

  named(topology: Topology): void {
    this.facts.push('named');
    this.topologies.push(topology);
  }

  fail(reason: ReleaseReason, detail: string, failure?: DialFailure): void {
    this.facts.push(`fail ${reason}`);
    if (this.failure !== null) throw new Error(`failed twice: ${this.failure.reason}, then ${reason}`);
    this.failure = { reason, detail, failure };
  }

  delivered(tenant = 'a'): Buffer {
    return Buffer.concat(this.#delivered.get(tenant) ?? []);
  }

  /** How many calls brought the bytes. */
  deliveries(tenant = 'a'): number {
    return this.#delivered.get(tenant)?.length ?? 0;
  }

  /** Every byte that anybody got. */
  all(): Buffer {
    return Buffer.concat([...this.#delivered.values()].flat());
  }

  reset(): void {
    this.facts.length = 0;
    this.topologies.length = 0;
    this.failure = null;
    this.#delivered.clear();
  }
}
