/** A folder of files as Kubernetes mounts secrets: names link into `..data`, which links to a folder of one version. */
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface TearDown {
  teardown(task: () => void): void;
}

export function temporaryFolder(t: TearDown): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'slackwater-')));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export class MountedFolder {
  readonly path: string;
  #version = 0;

  constructor(t: TearDown, files: Readonly<Record<string, string>>) {
    this.path = temporaryFolder(t);
    this.swap(files);
    for (const name of Object.keys(files)) symlinkSync(join('..data', name), join(this.path, name));
  }

  file(name: string): string {
    return join(this.path, name);
  }

  /** All files at once, by renaming a link over the one before, as the kubelet does; the old version is removed. */
  swap(files: Readonly<Record<string, string>>): void {
    const before = `..2026_${this.#version}`;
    this.#version += 1;
    const version = `..2026_${this.#version}`;
    mkdirSync(join(this.path, version));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.path, version, name), text);
    symlinkSync(version, join(this.path, '..data_tmp'));
    renameSync(join(this.path, '..data_tmp'), join(this.path, '..data'));
    rmSync(join(this.path, before), { recursive: true, force: true });
  }
}
