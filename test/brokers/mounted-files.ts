/** Files of which some are replaced at one instant, as Kubernetes replaces the files of a mount. */
import { readFileSync } from 'node:fs';
import { MountedFolder } from '../support/mounted-folder.ts';

export class MountedFiles {
  readonly #folder: MountedFolder;
  readonly #endings: (() => void)[] = [];
  #files: Readonly<Record<string, string>>;

  /** @param files content by name */
  constructor(files: Readonly<Record<string, string>>) {
    this.#files = files;
    this.#folder = new MountedFolder({ teardown: (task) => this.#endings.push(task) }, files);
  }

  path(name: string): string {
    return this.#folder.file(name);
  }

  /** The others stay as they are. */
  swap(files: Readonly<Record<string, string>>): void {
    this.#files = { ...this.#files, ...files };
    this.#folder.swap(this.#files);
  }

  remove(): void {
    for (const end of this.#endings) end();
  }
}

export function contentOf(path: string): string {
  return readFileSync(path, 'utf8');
}
