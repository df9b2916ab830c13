/** Reads YAML text into a plain value, knowing where everything stands; refuses what a configuration has no use for. */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { ConfigError, type ConfigFault, type KeyPath, pathText } from './fault.ts';
import { keyText, Places, start } from './yaml-places.ts';

const NO_ANCHOR = 'this alias has no anchor: write one before it, or put a text that begins with * in quotes';

/** Deeper than any configuration; keeps hostile files from exhausting the stack. */
const MAX_DEPTH = 32;

/** Keys whose values are secrets, however they are written. */
const SECRET_KEYS: readonly (string | number)[] = ['password', 'token', 'clientSecret'];

export interface YamlSource {
  readonly value: unknown;
  readonly places: Places;
  /** Faults that leave the value readable: duplicate keys. */
  readonly faults: readonly ConfigFault[];
}

/**
 * @throws ConfigError if the text is not one readable YAML document: then it holds one fault, since what follows a
 * syntax error is guesswork
 */
export function readYaml(text: string, fileName: string, emptyAdvice: string): YamlSource {
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      logLevel: 'error',
      merge: false,
      prettyErrors: false,
      resolveKnownTags: false,
      schema: 'core',
      uniqueKeys: false,
    });
    const places = new Places(document, lines);
    const fail = (offset: number, message: string): never => {
      throw new ConfigError(fileName, [{ ...places.at(offset), path: '', message }]);
    };
    const broken = document.errors[0] ?? document.warnings[0];
    if (broken !== undefined) fail(broken.pos[0], syntaxMessage(broken.code, broken.message, text, broken.pos[0]));
    if (isEmpty(document)) fail(0, `the file is empty: ${emptyAdvice}`);
    const walk = new Walk(document, places, fail);
    walk.visit(document.contents, []);
    return { value: document.toJS(), places, faults: walk.faults };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const message = `cannot be read as YAML: ${error instanceof Error ? error.message : String(error)}`;
    throw new ConfigError(fileName, [{ line: 1, column: 1, path: '', message }], { cause: error });
  }
}

/** Looks for what YAML allows and a configuration does not. */
class Walk {
  readonly faults: ConfigFault[] = [];
  readonly #document: Document;
  readonly #places: Places;
  readonly #fail: (offset: number, message: string) => never;
  readonly #ancestors = new Set<unknown>();

  constructor(document: Document, places: Places, fail: (offset: number, message: string) => never) {
    this.#document = document;
    this.#places = places;
    this.#fail = fail;
  }

  visit(node: unknown, path: KeyPath): void {
    if (path.length > MAX_DEPTH) this.#fail(start(node), 'is nested too deeply');
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      // Its name is not repeated: a secret that begins with a star looks like one.
      if (target === undefined) this.#fail(start(node), NO_ANCHOR);
      if (this.#ancestors.has(target)) this.#fail(start(node), `*${node.source} contains itself: write the value out`);
      return;
    }
    this.#ancestors.add(node);
    if (isMap(node)) this.#visitMap(node, path);
    if (isSeq(node)) for (const [index, item] of node.items.entries()) this.visit(item, [...path, index]);
    this.#ancestors.delete(node);
  }

  #visitMap(map: YAMLMap, path: KeyPath): void {
    const seen = new Map<string, number>();
    for (const pair of map.items) {
      const key = this.#key(pair);
      const place = this.#places.at(start(pair.key));
      const first = seen.get(key);
      if (first === undefined) seen.set(key, place.line);
      else {
        const message = `duplicate key, first on line ${first}: keep one of the two`;
        this.faults.push({ ...place, path: pathText(withoutSecret([...path, key])), message });
      }
      this.visit(pair.value, [...path, key]);
    }
  }

  #key(pair: Pair): string {
    const key = keyText(pair);
    if (key === undefined) return this.#fail(start(pair.key), 'a key must be plain text: quote it if it has brackets');
    // A key of this name would change the prototype of what reads it.
    if (key === '__proto__') return this.#fail(start(pair.key), 'there is no key "__proto__": remove it');
    return key;
  }
}

/** A path up to what may itself be a secret: a key below one, or one stuck to its colon. */
function withoutSecret(path: KeyPath): KeyPath {
  const end = path.findIndex((key, index) => SECRET_KEYS.includes(path[index - 1] ?? '') || /[:\s]/.test(String(key)));
  return end === -1 ? path : path.slice(0, end);
}

function isEmpty({ contents }: Document): boolean {
  return contents === null || (isScalar(contents) && (contents.value === null || contents.value === ''));
}

function syntaxMessage(code: string, message: string, text: string, offset: number): string {
  if (code === 'MULTIPLE_DOCS') return 'the file holds more than one YAML document: remove the "---" between them';
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1).split('\n', 1)[0] ?? '';
  // What stands behind a colon is copied from the file, and might be a secret.
  const words = message.replace(/: .*$/s, '');
  const sentence = `is not valid YAML: ${words.charAt(0).toLowerCase()}${words.slice(1)}`;
  if (/[^"'][[][0-9a-f]*:[0-9a-f:.]*\]:\d/i.test(line)) return `${sentence}; quote IPv6 addresses: "[::1]:9092"`;
  if (code === 'TAG_RESOLVE_FAILED') return `${sentence}; put a text that begins with ! in quotes`;
  if (code === 'TAB_AS_INDENT') return `${sentence}; use spaces`;
  return sentence;
}
