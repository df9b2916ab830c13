/**
 * Something that is made of files, and made anew when they change: all of them are read again whenever one has changed,
 * and only once two looks have found them alike, so that nothing is made of half a file, or of one old and one new one.
 * What cannot be made leaves the last good one where it is.
 */
import type { Clock } from '../core/clock.ts';
import type { Watched } from './file-watch.ts';
import { FileError, Files } from './files.ts';

/** Files that belong together may be replaced one after the other: so long nobody is told that they do not fit. */
const PATIENCE_MILLISECONDS = 3000;
/** How often it is read at once while files change under the first reading. */
const FIRST_READINGS = 5;

export interface FromFilesHooks<T> {
  readonly clock: Clock;
  /** Reads what it needs, and nothing but that. @throws whatever is wrong, as an error whose message holds no secret */
  make(files: Files): Promise<T>;
  /** @param recovered it was told that the files were of no use */
  changed(value: T, recovered: boolean): void;
  /** Told once for each message. */
  unusable(error: Error): void;
}

interface Failure {
  readonly since: number;
  readonly error: Error;
  readonly told: string | null;
}

export class FromFiles<T> implements Watched {
  readonly #hooks: FromFilesHooks<T>;
  #value: T;
  /** Of the last reading, whether something could be made of it or not. */
  #files: Files;
  /** What the look before has seen. */
  #seen: string;
  #failure: Failure | null = null;

  private constructor(hooks: FromFilesHooks<T>, value: T, files: Files) {
    this.#hooks = hooks;
    this.#value = value;
    this.#files = files;
    this.#seen = files.marks;
  }

  /** Rejects with what `make` throws. */
  static async open<T>(hooks: FromFilesHooks<T>): Promise<FromFiles<T>> {
    for (let reading = 1; ; reading += 1) {
      const files = new Files();
      let made: { readonly value: T } | { readonly error: unknown };
      try {
        made = { value: await hooks.make(files) };
      } catch (error) {
        made = { error };
      }
      const last = reading === FIRST_READINGS;
      if (!last && (await files.marksNow()) !== files.marks) continue;
      if ('error' in made) throw made.error;
      return new FromFiles(hooks, made.value, files);
    }
  }

  get value(): T {
    return this.#value;
  }

  async look(): Promise<boolean> {
    const marks = await this.#files.marksNow();
    const unread = this.#failure?.error instanceof FileError;
    if (marks === this.#files.marks && !unread) {
      this.#seen = marks;
      this.#complain();
      return false;
    }
    if (marks !== this.#seen) {
      this.#seen = marks;
      return true;
    }
    return this.#read();
  }

  async #read(): Promise<boolean> {
    const files = new Files();
    let value: T;
    try {
      value = await this.#hooks.make(files);
    } catch (error) {
      return this.#failed(files, error instanceof Error ? error : new Error(String(error)));
    }
    const marks = await files.marksNow();
    if (marks !== files.marks) {
      this.#seen = marks;
      return true;
    }
    const recovered = this.#failure?.told != null;
    this.#failure = null;
    this.#files = files;
    this.#value = value;
    this.#hooks.changed(value, recovered);
    return false;
  }

  #failed(files: Files, error: Error): boolean {
    this.#files = files;
    this.#seen = files.marks;
    const { since, told } = this.#failure ?? { since: this.#hooks.clock.now(), told: null };
    this.#failure = { since, error, told };
    this.#complain();
    return false;
  }

  #complain(): void {
    const failure = this.#failure;
    if (failure === null || failure.told === failure.error.message) return;
    if (this.#hooks.clock.now() - failure.since < PATIENCE_MILLISECONDS) return;
    this.#failure = { ...failure, told: failure.error.message };
    this.#hooks.unusable(failure.error);
  }
}
