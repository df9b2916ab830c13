/** Secrets that nobody could write by chance, and whether one of them stands in a text, in whatever form. */
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

const DEEP = { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true, maxArrayLength: null } as const;

/** Of a secret given by somebody else, such as a line of a key: enough to be sure. */
const CORE = 24;

export class Planted {
  /** By name: what no output may hold. */
  readonly #forms = new Map<string, readonly string[]>();

  /** A new one, with characters that JSON, YAML, URLs and shells write in other ways around a part that they do not. */
  plant(name: string): string {
    const core = randomBytes(12).toString('hex');
    this.#forms.set(name, formsOf(Buffer.from(core)));
    return `P&%"'\\${core}+/=`;
  }

  /** The same, of letters and digits alone. */
  plantWord(name: string): string {
    const core = randomBytes(12).toString('hex');
    this.#forms.set(name, formsOf(Buffer.from(core)));
    return core;
  }

  /** One that came from elsewhere, as it is. */
  add(name: string, text: string): void {
    this.#forms.set(name, formsOf(Buffer.from(text.slice(0, CORE))));
  }

  /** Lines of a key in PEM, and what they mean. */
  addPem(name: string, pem: string): void {
    const lines = pem.split('\n').filter((line) => line.length > CORE && !line.startsWith('-----'));
    const inner = lines.map((line) => line.slice(-CORE));
    const bytes = lines.map((line) => Buffer.from(line, 'base64').subarray(0, CORE).toString('hex'));
    this.#forms.set(name, [...inner, ...bytes, ...lines.flatMap((line) => formsOf(Buffer.from(line.slice(0, CORE))))]);
  }

  get names(): string[] {
    return [...this.#forms.keys()];
  }

  /** Names of those that stand in it. */
  in(text: string): string[] {
    const lower = text.toLowerCase();
    const stands = (form: string): boolean => text.includes(form) || lower.includes(form);
    return [...this.#forms].filter(([, forms]) => forms.some(stands)).map(([name]) => name);
  }
}

/** Everything that somebody could get to see, and where. */
export class Outputs {
  readonly #texts: [where: string, text: string][] = [];

  /** @param text anything else is looked into as deep as it goes */
  add(where: string, text: unknown): void {
    this.#texts.push([where, typeof text === 'string' ? text : inspect(text, DEEP)]);
  }

  /** Where a secret stands, and which. */
  showing(planted: Planted): string[] {
    return this.#texts.flatMap(([where, text]) => planted.in(text).map((name) => `${where} shows the ${name}`));
  }

  all(where: string): string {
    return this.#texts.flatMap(([place, text]) => (place === where ? [text] : [])).join('\n');
  }
}

/** As text, hexadecimal, base64 at every place within something longer, and as Node.js and JSON show buffers. */
function formsOf(core: Buffer): string[] {
  const inBase64 = [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), core]).toString('base64');
    // The first characters mix with what stands before, the last ones with what follows.
    const whole = text.slice(before === 0 ? 0 : 4, 4 * Math.floor((before + core.length) / 3));
    return [whole, whole.replaceAll('+', '-').replaceAll('/', '_'), encodeURIComponent(whole)];
  });
  const pieces = [...core];
  const hex = core.toString('hex');
  return [
    core.toString('latin1'),
    encodeURIComponent(core.toString('latin1')),
    hex,
    hex.replaceAll(/..(?!$)/g, '$& '),
    pieces.join(','),
    pieces.join(', '),
    [...core.toString('latin1')].reverse().join(''),
    ...inBase64,
  ];
}
