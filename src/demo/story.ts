/** A timeline that a person reads, and the claims in it that a test checks. */
const RULE = '-'.repeat(72);
const LABEL_WIDTH = 46;

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

  say(text: string): void {
    this.#write(`${this.#time()}  ${text}`);
  }

  figure(label: string, value: number): void {
    this.#write(`         ${`${label} `.padEnd(LABEL_WIDTH, '.')} ${value}`);
  }

  claim(isTrue: boolean, text: string): void {
    if (!isTrue) this.#broken.push(text);
    this.#write(`         ${isTrue ? 'ok ' : 'NO '} ${text}`);
  }

  conclude(): void {
    this.#write(RULE);
    this.#write(this.held ? 'The story held.' : `The story did not hold: ${this.#broken.join('; ')}.`);
  }

  #time(): string {
    return `${((performance.now() - this.#start) / 1000).toFixed(1).padStart(5)} s`;
  }
}
