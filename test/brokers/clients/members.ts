/** What members of groups took, for clients that run in Node. */
export interface MemberConnection {
  leave(): Promise<unknown>;
}

export interface ConsumeRequest {
  readonly bootstrap: string;
  readonly group: string;
  readonly members: readonly string[];
  readonly topics: readonly string[];
  readonly settings: Readonly<Record<string, unknown>>;
}

export class Member {
  assigned: string[] = [];
  readonly records: Record<string, number[]> = {};

  took(topic: string, partition: number, offset: number): void {
    const key = `${topic}-${partition}`;
    this.records[key] ??= [];
    this.records[key].push(offset);
  }
}

export type Join = (request: ConsumeRequest, name: string, member: Member) => Promise<MemberConnection>;

export class Members {
  readonly #all = new Map<string, { member: Member; connection: MemberConnection }>();
  readonly #join: Join;

  constructor(join: Join) {
    this.#join = join;
  }

  async consume(request: ConsumeRequest): Promise<void> {
    await Promise.all(
      request.members.map(async (name) => {
        const member = new Member();
        this.#all.set(name, { member, connection: await this.#join(request, name, member) });
      }),
    );
  }

  received(): object {
    return Object.fromEntries([...this.#all].map(([name, { member }]) => [name, member]));
  }

  async leave({ members }: { members: readonly string[] }): Promise<void> {
    await Promise.all(
      members.map(async (name) => {
        const one = this.#all.get(name);
        await one?.connection.leave();
        if (one !== undefined) one.member.assigned = [];
      }),
    );
  }
}
