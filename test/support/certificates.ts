/** Certificates made on the spot (RFC 5280), so that none of them ever expires in the repository. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import { bits, integer, octets, oid, sequence, set, tagged, time, truth, utf8 } from './der.ts';

const DAY_MILLISECONDS = 86_400_000;

export type KeyKind = 'ec' | 'rsa';

export interface Certified {
  readonly name: string;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  readonly privateKey: KeyObject;
}

export interface Wishes {
  /** Common names: mostly one. */
  readonly name: string | readonly string[];
  readonly keys?: KeyKind;
  /** DNS names and addresses it is for. */
  readonly hosts?: readonly string[];
  /** In days from now. */
  readonly from?: number;
  readonly until?: number;
  /** Absent: signed by itself. */
  readonly by?: Certified;
  readonly authority?: boolean;
}

function newKeys(kind: KeyKind): { publicKey: KeyObject; privateKey: KeyObject } {
  return kind === 'ec'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 });
}

const commonName = (names: readonly string[]): Buffer =>
  sequence(...names.map((name) => set(sequence(oid('2.5.4.3'), utf8(name)))));

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [truth()] : []), octets(value));
}

function generalName(host: string): Buffer {
  if (isIP(host) === 4) return tagged(0x87, Buffer.from(host.split('.').map(Number)));
  return host === '::1' ? tagged(0x87, Buffer.from([...new Array(15).fill(0), 1])) : tagged(0x82, Buffer.from(host));
}

/** The key identifier of RFC 5280 4.2.1.2 (1), near enough: two certificates differ if their keys do. */
const keyIdentifier = (key: KeyObject): Buffer =>
  createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();

export function certify(wishes: Wishes): Certified {
  const { by, authority = false, hosts = [], from = -1, until = 3650 } = wishes;
  const names = [wishes.name].flat();
  const { publicKey, privateKey } = newKeys(wishes.keys ?? 'ec');
  const signer = by?.privateKey ?? privateKey;
  const algorithm =
    signer.asymmetricKeyType === 'ec'
      ? sequence(oid('1.2.840.10045.4.3.2'))
      : sequence(oid('1.2.840.113549.1.1.11'), tagged(0x05));
  const now = Date.now();
  const extensions = [
    extension('2.5.29.19', true, authority ? sequence(truth()) : sequence()),
    extension('2.5.29.14', false, octets(keyIdentifier(publicKey))),
    ...(hosts.length === 0 ? [] : [extension('2.5.29.17', false, sequence(...hosts.map(generalName)))]),
  ];
  const toBeSigned = sequence(
    tagged(0xa0, integer(2)),
    integer(randomBytes(12)),
    algorithm,
    commonName(by === undefined ? names : [by.name]),
    sequence(time(new Date(now + from * DAY_MILLISECONDS)), time(new Date(now + until * DAY_MILLISECONDS))),
    commonName(names),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  );
  const der = sequence(toBeSigned, algorithm, bits(sign('sha256', toBeSigned, signer)));
  return {
    name: names.join('+'),
    certificate: pem('CERTIFICATE', der),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    privateKey,
  };
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

export function authority(name = 'an authority', keys: KeyKind = 'ec'): Certified {
  return certify({ name, keys, authority: true });
}
