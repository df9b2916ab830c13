/**
 * A broker that wants to know who asks: the broker's part of SASL, written from the RFCs for these tests alone. It takes
 * what is written to one connection and says what it sends back; what a real broker would close for is a fault.
 */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { answer, apiVersionsBody, type Broker, metadataBody, type Range } from '../answers.ts';
import { ALL_RANGES, BROKERS, requestsIn, type Sent } from '../kafka-bench.ts';
import { form, i16, i32, i64, join } from '../wire.ts';

export interface SaslBrokerTraits {
  readonly mechanisms?: readonly string[];
  readonly username?: string;
  readonly password?: string;
  /** Several of them, each with its password. */
  readonly passwords?: Readonly<Record<string, string>>;
  readonly token?: string;
  readonly salt?: string;
  readonly iterations?: number;
  readonly lifetime?: number;
  readonly ranges?: readonly Range[];
  readonly brokers?: readonly Broker[];
  /** Of the handshake, whatever was asked. */
  readonly handshakeError?: number;
  /** Changes what a SCRAM broker says. */
  readonly spoil?: (message: string) => string;
  /** What it says beside error 58. */
  readonly refusal?: string;
}

interface Reply {
  readonly token: Buffer;
  readonly error?: number;
  readonly done?: boolean;
}

export class SaslBroker {
  readonly faults: string[] = [];
  readonly requests: Sent[] = [];
  /** Tokens of the client, in order. */
  readonly tokens: Buffer[] = [];
  authenticated = false;
  /** Who has said to be there; who it is, once authenticated. */
  principal = '';
  refused = false;
  readonly #traits: SaslBrokerTraits;
  #pending = Buffer.alloc(0);
  #mechanism: string | null = null;
  #askedVersions = false;
  #firstBare = '';
  #serverFirst = '';

  constructor(traits: SaslBrokerTraits = {}) {
    this.#traits = traits;
  }

  take(bytes: Buffer): Buffer {
    this.#pending = Buffer.concat([this.#pending, bytes]);
    const answers: Buffer[] = [];
    while (this.#pending.length >= 4 && this.#pending.length >= 4 + this.#pending.readInt32BE()) {
      const end = 4 + this.#pending.readInt32BE();
      const [request] = requestsIn(this.#pending.subarray(0, end));
      this.#pending = this.#pending.subarray(end);
      if (request === undefined) throw new Error('not a request');
      this.requests.push(request);
      answers.push(this.#answer(request));
    }
    return Buffer.concat(answers);
  }

  #fault(what: string): Buffer {
    this.faults.push(what);
    return Buffer.alloc(0);
  }

  #answer(request: Sent): Buffer {
    const { key, version, id, bytes } = request;
    const { ranges = ALL_RANGES, brokers = BROKERS } = this.#traits;
    if (this.refused) return this.#fault('something follows a refusal');
    if (this.authenticated && key === 3) return answer(3, version, id, metadataBody(version, brokers));
    if (key === 18) {
      if (!this.authenticated && (this.#askedVersions || this.#mechanism !== null))
        return this.#fault('ApiVersions twice, or behind the handshake');
      this.#askedVersions = true;
      return answer(18, version, id, apiVersionsBody(version, ranges));
    }
    if (key === 17 && this.#mechanism === null && version === 1) return this.#handshake(id, bytes);
    if (key === 36 && this.#mechanism !== null && !this.authenticated) return this.#authenticate(request);
    return this.#fault(`api ${key} in version ${version} before its time`);
  }

  #handshake(id: number, bytes: Buffer): Buffer {
    const { mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'], handshakeError } = this.#traits;
    const name = bytes.subarray(bodyAt(bytes) + 2).toString();
    const error = handshakeError ?? (mechanisms.includes(name) ? 0 : 33);
    if (error === 0) this.#mechanism = name;
    const write = form(false);
    return answer(17, 1, id, join(i16(error), write.array(mechanisms.map((each) => write.string(each)))));
  }

  #authenticate({ version, id, bytes }: Sent): Buffer {
    const token = tokenIn(bytes, version);
    this.tokens.push(Buffer.from(token));
    const { token: said, error = 0, done = false } = this.#evaluate(token);
    this.authenticated = done;
    this.refused = error !== 0;
    const write = form(version >= 2);
    const words = error === 0 ? null : (this.#traits.refusal ?? 'Authentication failed: Invalid username or password');
    const lifetime = version >= 1 ? [i64(BigInt(done ? (this.#traits.lifetime ?? 0) : 0))] : [];
    const body = join(i16(error), write.string(words), write.bytes(said), ...lifetime, write.tags());
    return answer(36, version, id, body);
  }

  #evaluate(token: Buffer): Reply {
    const refused = { token: Buffer.alloc(0), error: 58 };
    const { token: bearer = 'a.bearer.token' } = this.#traits;
    switch (this.#mechanism) {
      case 'PLAIN': {
        const [, name = '', password] = token.toString().split('\0');
        this.principal = name;
        return password !== undefined && password === this.#passwordOf(name)
          ? { token: Buffer.alloc(0), done: true }
          : refused;
      }
      case 'OAUTHBEARER':
        if (this.tokens.length > 1) return refused;
        if (token.toString().startsWith(`n,,\x01auth=Bearer ${bearer}\x01`))
          return { token: Buffer.alloc(0), done: true };
        return { token: Buffer.from('{"status":"invalid_token"}') };
      default:
        return this.tokens.length === 1 ? this.#scramFirst(token) : this.#scramFinal(token);
    }
  }

  #passwordOf(name: string): string | undefined {
    const { username = 'app', password = 'pencil', passwords = { [username]: password } } = this.#traits;
    return Object.hasOwn(passwords, name) ? passwords[name] : undefined;
  }

  #scramFirst(token: Buffer): Reply {
    const { salt = 'c29tZSBzYWx0', iterations = 4096, spoil = (same) => same } = this.#traits;
    const [, name, nonce] = /^n,,(n=[^,]*),r=([^,]+)$/.exec(token.toString()) ?? [];
    this.principal = (name ?? '').slice(2).replaceAll('=2C', ',').replaceAll('=3D', '=');
    if (this.#passwordOf(this.principal) === undefined) return { token: Buffer.alloc(0), error: 58 };
    this.#firstBare = token.toString().slice(3);
    this.#serverFirst = spoil(`r=${nonce}broker,s=${salt},i=${iterations}`);
    return { token: Buffer.from(this.#serverFirst) };
  }

  #scramFinal(token: Buffer): Reply {
    const { salt = 'c29tZSBzYWx0', iterations = 4096, spoil = (same) => same } = this.#traits;
    const hash = this.#mechanism === 'SCRAM-SHA-512' ? 'sha512' : 'sha256';
    const [, without = '', proof = ''] = /^(c=biws,r=[^,]+),p=(.+)$/.exec(token.toString()) ?? [];
    const salted = pbkdf2Sync(
      this.#passwordOf(this.principal) ?? '',
      Buffer.from(salt, 'base64'),
      iterations,
      hash === 'sha512' ? 64 : 32,
      hash,
    );
    const clientKey = createHmac(hash, salted).update('Client Key').digest();
    const message = `${this.#firstBare},${this.#serverFirst},${without}`;
    const signature = createHmac(hash, createHash(hash).update(clientKey).digest()).update(message).digest();
    const expected = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
    if (!expected.equals(Buffer.from(proof, 'base64'))) return { token: Buffer.alloc(0), error: 58 };
    const serverKey = createHmac(hash, salted).update('Server Key').digest();
    const verifier = createHmac(hash, serverKey).update(message).digest('base64');
    return { token: Buffer.from(spoil(`v=${verifier}`)), done: true };
  }
}

function bodyAt(bytes: Buffer): number {
  return 14 + bytes.readInt16BE(12);
}

/** Of a SaslAuthenticate request, whose token is shorter than 127 bytes, or of two-byte length. */
export function tokenIn(bytes: Buffer, version: number): Buffer {
  const at = bodyAt(bytes);
  if (version < 2) return bytes.subarray(at + 4, at + 4 + bytes.readInt32BE(at));
  const first = bytes.readUInt8(at + 1);
  const isLong = first > 0x7f;
  const length = (isLong ? (first & 0x7f) + bytes.readUInt8(at + 2) * 128 : first) - 1;
  const from = at + (isLong ? 3 : 2);
  return bytes.subarray(from, from + length);
}

/** A SaslAuthenticate answer with nothing in it but these. */
export function authenticateAnswer(id: number, error: number, token: Buffer): Buffer {
  const write = form(true);
  return answer(36, 2, id, join(i16(error), write.string(null), write.bytes(token), i64(0n), write.tags()));
}

/** A length that nobody would send before he knows who asks. */
export const TOO_LONG = i32(512 * 1024 + 1);
