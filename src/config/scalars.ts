/** The kinds of value that keys have; each says in its own words what it must be. */
import { z } from 'zod';
import { Secret } from '../contract/credential.ts';
import { isHost, readAddress, readServiceAddress } from './address.ts';
import { isBrokerPattern } from './broker-patterns.ts';

const ADDRESS_PATTERN = '^(\\[[0-9A-Fa-f:.%A-Za-z]+\\]|[A-Za-z0-9_.-]+):[0-9]{1,5}$';
const SERVICE_PATTERN = ADDRESS_PATTERN.replace('^', '^(pulsar(\\+ssl)?://)?');
const MAX_NODE_ID = 2 ** 31 - 1;

/** `must be <rule>, not <what it is>`; a key without a value and a missing key are told apart. */
export function must(rule: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => {
    if (input === undefined) return `is missing: it must be ${rule}`;
    if (input === null) return `has no value: it must be ${rule}`;
    return `must be ${rule}, not ${shown(input)}`;
  };
}

/** Like `must`, where what is written may be a secret: it says what kind of thing it is, and not which. */
export function hidden(rule: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => {
    if (input === undefined || input === null) return must(rule)({ input });
    return `must be ${rule}, not ${kindOf(input)}`;
  };
}

/** A text of one line. */
export function printable() {
  const error = hidden('a text of one line, in quotes if it looks like something else');
  return z.string({ error }).regex(/^[^\p{Cc}]+$/u, { error });
}

/** Never shown, not even when it is wrong. */
export function secret() {
  const error = hidden('a text, in quotes if it looks like something else');
  return z
    .string({ error })
    .min(1, { error: () => 'must not be empty' })
    .transform((text) => new Secret(text));
}

/** Relative to the file that names it. */
export function filePath() {
  const error = must('the path of a file');
  return z.string({ error }).regex(/^[^\0]+$/, { error });
}

/** An http or https URL that holds no credentials. */
export function webAddress() {
  const error = hidden('a URL, such as https://idp.example/token');
  return z.string({ error }).check((context) => {
    const url = URL.canParse(context.value) ? new URL(context.value) : undefined;
    const fault =
      url === undefined || !/^https?:$/.test(url.protocol)
        ? 'must be a URL that begins with https:// or http://'
        : url.username !== '' || url.password !== ''
          ? 'must hold neither user name nor password: there are keys for them'
          : undefined;
    if (fault !== undefined) context.issues.push({ code: 'custom', message: fault, input: context.value });
  });
}

/** A whole number with its unit, such as `seconds`, in the message. */
export function whole(unit: string, min: number, max: number) {
  return between(`a whole number of ${unit} from ${min} to ${max}`, min, max);
}

export function port() {
  return between('a port from 1 to 65535', 1, 65535);
}

function between(rule: string, min: number, max: number) {
  const error = must(rule);
  return z.int({ error }).min(min, { error }).max(max, { error });
}

export function flag() {
  return z.boolean({ error: must('true or false') });
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: must(`one of ${values.join(', ')}`) });
}

/** `host:port` with a port from `minPort` on; 0 lets the system choose one. */
export function address(minPort: 0 | 1) {
  return z
    .string({ error: must('host:port, such as 127.0.0.1:9092') })
    .check((context) => {
      const read = readAddress(context.value);
      const low = !('fault' in read) && read.port < minPort;
      if (!('fault' in read) && !low) return;
      const fault = 'fault' in read ? read.fault : 'must end in a port from 1 to 65535';
      context.issues.push({ code: 'custom', message: `${fault}, not ${shown(context.value)}`, input: context.value });
    })
    .meta({ pattern: ADDRESS_PATTERN });
}

/** `host:port` as a broker has it, with or without Pulsar's scheme; whether the protocol knows it is judged elsewhere. */
export function brokerAddress() {
  return z
    .string({ error: must('host:port, such as broker-1:9092') })
    .check((context) => {
      const read = readServiceAddress(context.value);
      if (!('fault' in read) && read.port > 0) return;
      const fault = 'fault' in read ? read.fault : 'must end in a port from 1 to 65535';
      context.issues.push({ code: 'custom', message: `${fault}, not ${shown(context.value)}`, input: context.value });
    })
    .meta({ pattern: SERVICE_PATTERN });
}

/** `host:port` in which `*` stands for what may differ. */
export function brokerPattern() {
  const error = must(
    'host:port without a scheme, with * for what may differ, such as broker-*.pulsar.svc:6650 or *:6650',
  );
  return z.string({ error }).refine(isBrokerPattern, { error });
}

export function host() {
  const error = must('a host name or an IP address without port');
  return z.string({ error }).refine(isHost, { error });
}

/** A name that can stand in a metric label, a log field and a URL as it is. */
export function label() {
  const error = must('1 to 63 letters, digits, dots, dashes or underscores, beginning with a letter or digit');
  return z.string({ error }).regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { error });
}

/** Decimal node id, or a broker's `host:port`, to local port; which of them it is depends on the protocol. */
export function portByNode() {
  const key = z
    .string()
    .refine((text) => isNodeId(text) || isBrokerName(text), { error: must('a node id, a whole number from 0 on') });
  const node = key.refine((text) => !isNodeId(text) || Number(text) <= MAX_NODE_ID, {
    error: must(`a node id up to ${MAX_NODE_ID}`),
  });
  return z.record(node, port(), { error: must('a mapping of node ids to ports') });
}

export function isNodeId(text: string): boolean {
  return /^(0|[1-9]\d{0,9})$/.test(text);
}

function isBrokerName(text: string): boolean {
  const read = readAddress(text);
  return !('fault' in read) && read.port > 0;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return value === '' ? 'an empty text' : 'this text';
  return typeof value === 'number' ? 'a number' : 'true or false';
}

function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'object') return kindOf(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}..."` : text;
}
