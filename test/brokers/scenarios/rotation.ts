/** Every file of an identity is replaced by a symlink swap while clients are at work. */
import type { Authority, Certificate } from '../certificates.ts';
import { upstreamSasl } from '../identities.ts';
import type { Judge } from '../judge.ts';
import type { KafkaCluster } from '../kafka-cluster.ts';
import { contentOf, MountedFiles } from '../mounted-files.ts';
import { USERS } from '../security.ts';
import type { RoutePlan, Sidecar } from '../sidecar.ts';
import { until } from '../until.ts';

/** The issue's own bound. */
export const IN_USE_WITHIN_SECONDS = 10;
const GONE_WITHIN_SECONDS = 20;

export interface Takeover {
  /** Connections of the login before. */
  readonly before: number;
  /** From the swap until a broker has taken the new login. */
  readonly inUseSeconds: number;
  /** From the swap until the last connection of the login before was gone. */
  readonly goneSeconds: number;
}

/** What the cluster and the sidecar show each other: over mutual TLS, with SCRAM. */
export class RotatingIdentity {
  readonly files: MountedFiles;
  readonly #cluster: KafkaCluster;
  readonly #judge: Judge;
  #issued = 0;
  #password: string = USERS.alice;
  /** Whom the brokers' present certificate is signed by. */
  #authority: Authority;

  private constructor(cluster: KafkaCluster, judge: Judge, client: Certificate, server: Certificate) {
    this.#cluster = cluster;
    this.#judge = judge;
    this.#authority = cluster.certificates.authority;
    this.files = new MountedFiles({
      password: this.#password,
      'ca.pem': contentOf(this.#authority.caFile),
      'client.pem': contentOf(client.certificateFile),
      'client.key': contentOf(client.keyFile),
      'server.pem': contentOf(server.certificateFile),
      'server.key': contentOf(server.keyFile),
    });
  }

  /** @param cluster with mutual TLS and SASL */
  static async make(cluster: KafkaCluster, judge: Judge): Promise<RotatingIdentity> {
    const { authority } = cluster.certificates;
    const client = await authority.issue('client', { name: 'client' });
    const server = await authority.issue('server', { name: 'sidecar', names: ['IP:127.0.0.1'] });
    return new RotatingIdentity(cluster, judge, client, server);
  }

  /** Its clients speak TLS and need nothing else. */
  route(name: string): RoutePlan {
    const path = (file: string) => this.files.path(file);
    return {
      name,
      upstream: {
        tls: { caFile: path('ca.pem'), certificateFile: path('client.pem'), keyFile: path('client.key') },
        sasl: upstreamSasl('alice', 'SCRAM-SHA-512', this.files),
      },
      keys: { listenTls: { certificateFile: path('server.pem'), keyFile: path('server.key') } },
    };
  }

  async password(): Promise<void> {
    this.#issued += 1;
    this.#password = `alice-secret-${this.#issued + 1}`;
    await this.#judge.changePassword('alice', this.#password);
    this.files.swap({ password: `${this.#password}\n` });
  }

  wrongPassword(): void {
    this.files.swap({ password: 'wrong' });
  }

  rightPassword(): void {
    this.files.swap({ password: this.#password });
  }

  async clientCertificate(): Promise<void> {
    this.#issued += 1;
    const next = await this.#cluster.certificates.authority.issue(`client-${this.#issued}`, { name: 'client' });
    this.files.swap({ 'client.pem': contentOf(next.certificateFile), 'client.key': contentOf(next.keyFile) });
  }

  async serverCertificate(): Promise<void> {
    this.#issued += 1;
    const options = { name: 'sidecar', names: ['IP:127.0.0.1'] };
    const next = await this.#cluster.certificates.authority.issue(`server-${this.#issued}`, options);
    this.files.swap({ 'server.pem': contentOf(next.certificateFile), 'server.key': contentOf(next.keyFile) });
  }

  /** Another authority is believed beside the present one. */
  async secondAuthority(): Promise<Authority> {
    this.#issued += 1;
    const second = await this.#cluster.certificates.found(`authority-${this.#issued}`);
    this.files.swap({ 'ca.pem': contentOf(this.#authority.caFile) + contentOf(second.caFile) });
    return second;
  }

  /** Brokers show what the other one signed, and it alone is believed from now on. */
  async authority(next: Authority): Promise<void> {
    this.#issued += 1;
    const shown = await this.#cluster.certificates.issue(`brokers-${this.#issued}`, { by: next });
    await this.#judge.showCertificate('HIDDEN', shown);
    this.#authority = next;
    this.files.swap({ 'ca.pem': contentOf(next.caFile) });
  }

  noAuthority(): void {
    this.files.swap({ 'ca.pem': 'no certificate' });
  }

  theAuthority(): void {
    this.files.swap({ 'ca.pem': contentOf(this.#authority.caFile) });
  }
}

export function changesOf(sidecar: Sidecar, route: string, change: string): Promise<number> {
  return sidecar.metric('identity_changes_total', { route, change });
}

export async function upstreamIds(sidecar: Sidecar, route: string): Promise<Set<string>> {
  return new Set((await sidecar.upstreams(route)).map(({ id }) => id));
}

/**
 * Something is replaced: waits until a broker has taken the new login and every connection of the one before is gone.
 *
 * @throws Error if either takes too long
 */
export async function takeOver(sidecar: Sidecar, route: string, replace: () => unknown): Promise<Takeover> {
  const old = await upstreamIds(sidecar, route);
  const accepted = await changesOf(sidecar, route, 'accepted');
  await replace();
  const begun = performance.now();
  const seconds = () => (performance.now() - begun) / 1000;
  await until('the new login to be in use', IN_USE_WITHIN_SECONDS * 1000, async () => {
    const now = await changesOf(sidecar, route, 'accepted');
    return now > accepted ? true : `${now} accepted; ${JSON.stringify(sidecar.entries(route).slice(-5))}`;
  });
  const inUseSeconds = seconds();
  await until('the connections of the login before to go', GONE_WITHIN_SECONDS * 1000, async () => {
    const left = [...(await upstreamIds(sidecar, route))].filter((id) => old.has(id));
    return left.length === 0 ? true : `left: ${left.join(', ')}`;
  });
  return { before: old.size, inUseSeconds, goneSeconds: seconds() };
}

/** Waits until a change was told. @throws Error if that takes too long */
export async function untilTold(
  sidecar: Sidecar,
  route: string,
  change: string,
  replace: () => unknown,
): Promise<void> {
  const before = await changesOf(sidecar, route, change);
  await replace();
  await until(`${change} to be told`, IN_USE_WITHIN_SECONDS * 1000, async () =>
    (await changesOf(sidecar, route, change)) > before ? true : `${before} so far`,
  );
}
