/** A timeline that a person reads, and the claims in it that a test checks. Plain ASCII, 80 columns. */
const COLUMNS = 80;
const RULE = '-'.repeat(COLUMNS);
const INDENT = ' '.repeat(9);
const LABEL_COLUMNS = 48;

export class Story {
  readonly #write: (line: string) => void;
  readonly #start = performance.now();
  readonly #broken: string[] = [];

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** Every claim so far was true. */
  get held(): boolean {
    return this.#broken.length === 0;
  }

  title(text: string): void {
    this.#write(RULE);
    this.#write(text);
    this.#write(RULE);
  }

  /** Something happens now. */
  say(text: string): void {
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(1);
    this.#write(`${seconds.padStart(5)} s  ${text}`);
  }

  add(text: string): void {
    this.#write(`${INDENT}${text}`);
  }

  figure(label: string, value: number | string): void {
    this.add(`${`${label} `.padEnd(LABEL_COLUMNS, '.')} ${value}`);
  }

  claim(isTrue: boolean, text: string): void {
    if (!isTrue) this.#broken.push(text);
    this.add(`${isTrue ? 'ok' : 'NO'}  ${text}`);
  }

  conclude(): void {
    this.#write(RULE);
    if (this.held) this.#write('The story held.');
    else for (const claim of this.#broken) this.#write(`The story did not hold: ${claim}`);
  }
}
