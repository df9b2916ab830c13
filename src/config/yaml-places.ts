/** Where the keys and values of a YAML document stand in its text. */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type LineCounter, type Node, type Pair } from 'yaml';
import type { KeyPath } from './fault.ts';

export interface Place {
  readonly line: number;
  readonly column: number;
}

export class Places {
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  /** Whether the file itself has this key or list item. */
  has(path: KeyPath): boolean {
    return this.#find(path).length === path.length + 1;
  }

  /** Of the value, or of the key if the value is empty; of the closest enclosing key if there is no such key. */
  ofValue(path: KeyPath): Place {
    const steps = this.#find(path);
    const last = steps.at(-1);
    const written = last?.value !== undefined && !(isScalar(last.value) && last.value.value === null);
    return steps.length === path.length + 1 && written ? this.at(start(last.value)) : this.ofKey(path);
  }

  /** Of the key; of the closest enclosing key, or the list item it stands in, if there is no such key. */
  ofKey(path: KeyPath): Place {
    const last = this.#find(path).at(-1);
    return this.at(start(last?.key ?? last?.value));
  }

  at(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  /** The document and what each part of the path leads to, as far as it exists. */
  #find(path: KeyPath): Step[] {
    const steps: Step[] = [{ key: undefined, value: this.#document.contents ?? undefined }];
    for (const part of path) {
      const step = this.#step(steps.at(-1)?.value, part);
      if (step === undefined) break;
      steps.push(step);
    }
    return steps;
  }

  #step(from: Node | undefined, part: string | number): Step | undefined {
    const node = isAlias(from) ? from.resolve(this.#document) : from;
    if (isMap(node)) {
      const pair = node.items.findLast((item) => keyText(item) === String(part));
      return pair === undefined ? undefined : { key: asNode(pair.key), value: asNode(pair.value) };
    }
    if (!isSeq(node)) return undefined;
    const item = asNode(node.items[Number(part)]);
    return item === undefined ? undefined : { key: undefined, value: item };
  }
}

interface Step {
  readonly key: Node | undefined;
  readonly value: Node | undefined;
}

/** The text of a key; undefined if the key is not a plain value. */
export function keyText(pair: Pair): string | undefined {
  if (!isScalar(pair.key)) return undefined;
  return pair.key.value === null ? '' : String(pair.key.value);
}

export function start(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

function asNode(value: unknown): Node | undefined {
  return isNode(value) ? value : undefined;
}
