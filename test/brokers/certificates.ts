/** Authorities, certificates and keys for one cluster, by openssl; PEM, elliptic keys (PKCS#8). */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './child.ts';

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
const DAYS = 30;

export interface CertificateOptions {
  /** The common name. */
  readonly name: string;
  /** `DNS:…` and `IP:…`; default none. */
  readonly names?: readonly string[];
  /** Its last day was yesterday. */
  readonly expired?: boolean;
}

/** Paths of PEM files. */
export interface Certificate {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** Key and certificate in one, as Java wants its key stores. */
  readonly storeFile: string;
}

/** Who signs certificates. */
export class Authority {
  readonly caFile: string;
  readonly #folder: string;
  readonly #keyFile: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.caFile = join(folder, 'ca.pem');
    this.#keyFile = join(folder, 'ca.key');
  }

  /** @param folder made if it is not there; one for each authority */
  static async found(folder: string, name: string): Promise<Authority> {
    mkdirSync(folder, { recursive: true });
    const authority = new Authority(folder);
    const out = ['-keyout', authority.#keyFile, '-out', authority.caFile];
    await run('openssl', ['req', '-x509', ...KEY, '-days', `${DAYS}`, '-subj', `/CN=${name}`, ...out]);
    return authority;
  }

  /** @param file the name of its files, without their endings */
  async issue(file: string, { name, names = [], expired = false }: CertificateOptions): Promise<Certificate> {
    const path = (ending: string) => join(this.#folder, `${file}.${ending}`);
    const [keyFile, request, certificateFile] = [path('key'), path('csr'), path('pem')];
    await run('openssl', ['req', ...KEY, '-subj', `/CN=${name}`, '-keyout', keyFile, '-out', request]);
    writeFileSync(path('ext'), names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`);
    const signed = ['-CA', this.caFile, '-CAkey', this.#keyFile, '-CAcreateserial', '-extfile', path('ext')];
    const days = ['-days', expired ? '-1' : `${DAYS}`];
    await run('openssl', ['x509', '-req', '-in', request, ...signed, ...days, '-out', certificateFile]);
    const storeFile = path('store.pem');
    writeFileSync(storeFile, readFileSync(keyFile, 'utf8') + readFileSync(certificateFile, 'utf8'));
    return { certificateFile, keyFile, storeFile };
  }
}

/** What a cluster with TLS is given, and where its tests get more of it. */
export class ClusterCertificates {
  /** Whose certificates the brokers show and believe. */
  readonly authority: Authority;
  /** Of all brokers, whatever name they are reached by. */
  readonly brokers: Certificate;
  readonly #folder: string;
  readonly #names: CertificateOptions;

  private constructor(folder: string, names: CertificateOptions, authority: Authority, brokers: Certificate) {
    this.#folder = folder;
    this.#names = names;
    this.authority = authority;
    this.brokers = brokers;
  }

  /** @param ids of all brokers that there may be */
  static async make(folder: string, ids: readonly number[]): Promise<ClusterCertificates> {
    const hosts = ids.map((id) => `DNS:broker-${id}.invalid`);
    const names = { name: 'broker', names: [...hosts, 'DNS:localhost', 'IP:127.0.0.1'] };
    const authority = await Authority.found(join(folder, 'first'), 'slackwater test authority');
    return new ClusterCertificates(folder, names, authority, await authority.issue('brokers', names));
  }

  /** One more authority, which the brokers know nothing of. */
  found(name: string): Promise<Authority> {
    return Authority.found(join(this.#folder, name), name);
  }

  /**
   * One more certificate for all brokers, with the names that they have: while it runs, a broker takes no others.
   *
   * @param file must not have been issued before
   */
  issue(file: string, { by = this.authority, expired = false } = {}): Promise<Certificate> {
    return by.issue(file, { ...this.#names, expired });
  }
}
