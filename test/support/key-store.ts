/** PKCS#12 files (RFC 7292), made on the spot. */
import { createHash, createHmac, randomBytes, X509Certificate } from 'node:crypto';
import type { Certified } from './certificates.ts';
import { integer, nothing, octets, oid, sequence, tagged } from './der.ts';

const ROUNDS = 2048;
const BLOCK_BYTES = 64;
const DATA = '1.2.840.113549.1.7.1';
const SHA256 = '2.16.840.1.101.3.4.2.1';
/** pbeWithSHAAnd40BitRC2-CBC: what old exports are encrypted with, and what OpenSSL 3 no longer offers. */
const RC2 = '1.2.840.113549.1.12.1.6';

/** RFC 7292 appendix B.2, for one block of output. */
function macKey(password: string, salt: Buffer): Buffer {
  const text = Buffer.from(`${password}\0`, 'utf16le').swap16();
  const repeated = (bytes: Buffer): Buffer =>
    Buffer.alloc(BLOCK_BYTES * Math.ceil(bytes.length / BLOCK_BYTES), bytes as Uint8Array);
  let digest = Buffer.concat([Buffer.alloc(BLOCK_BYTES, 3), repeated(salt), repeated(text)]);
  for (let round = 0; round < ROUNDS; round += 1) digest = createHash('sha256').update(digest).digest();
  return digest;
}

const data = (bytes: Buffer): Buffer => sequence(oid(DATA), tagged(0xa0, octets(bytes)));

/** @param legacy its key is encrypted with RC2 */
export function keyStoreOf(owner: Certified, password: string, legacy = false): Buffer {
  const shrouded = legacy
    ? sequence(sequence(oid(RC2), sequence(octets(randomBytes(8)), integer(ROUNDS))), octets(randomBytes(64)))
    : owner.privateKey.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase: password });
  const keyBag = sequence(oid('1.2.840.113549.1.12.10.1.2'), tagged(0xa0, shrouded));
  const raw = new X509Certificate(owner.certificate).raw;
  const certificate = sequence(oid('1.2.840.113549.1.9.22.1'), tagged(0xa0, octets(raw)));
  const certificateBag = sequence(oid('1.2.840.113549.1.12.10.1.3'), tagged(0xa0, certificate));
  const safe = sequence(data(sequence(certificateBag)), data(sequence(keyBag)));
  const salt = randomBytes(8);
  const mac = createHmac('sha256', macKey(password, salt)).update(safe).digest();
  const digest = sequence(sequence(oid(SHA256), nothing()), octets(mac));
  return sequence(integer(3), data(safe), sequence(digest, octets(salt), integer(ROUNDS)));
}
