/** The certificate of the admin listener, made anew when its files are replaced. */
import type { SecureContextOptions } from 'node:tls';
import type { Clock } from '../core/clock.ts';
import type { FileWatch } from './file-watch.ts';
import { fingerprintOf } from './fingerprint.ts';
import { FromFiles } from './from-files.ts';
import { IdentityError, keyOfFile } from './identity-error.ts';
import { contentsOf } from './open.ts';
import type { LoadedCertificate } from './tls-certificates.ts';
import { type AdminMaterial, type AdminTlsConfig, adminTls, tlsFiles } from './tls-material.ts';

export interface AdminTlsParts {
  readonly clock: Clock;
  readonly watch: FileWatch;
  told(change: 'read' | 'unreadable', detail: string): void;
}

export interface AdminTls {
  current(): SecureContextOptions;
  /** Told after `current` has changed. */
  onChange(listener: () => void): void;
  certificates(): readonly LoadedCertificate[];
}

/** Rejects with an IdentityError if a file cannot be read or is of no use. */
export async function openAdminTls(config: AdminTlsConfig, parts: AdminTlsParts): Promise<AdminTls> {
  const { clock, watch, told } = parts;
  const listeners: (() => void)[] = [];
  let fingerprint = '';
  const files = await FromFiles.open<AdminMaterial>({
    clock,
    make: async (read) => adminTls(config, await contentsOf(tlsFiles(config), read)),
    changed: ({ material }, recovered) => {
      if (recovered) told('read', 'admin.tls is in order again');
      const before = fingerprint;
      fingerprint = fingerprintOf(material);
      if (fingerprint === before) return;
      told('read', 'admin.tls: another certificate is shown from now on');
      for (const listener of listeners) listener();
    },
    unusable: (error) => told('unreadable', `admin.tls: ${error.message}`),
  }).catch((error: unknown) => {
    throw new IdentityError(keyOfFile('admin.tls', config, error), error);
  });
  fingerprint = fingerprintOf(files.value.material);
  watch.add(files);
  return {
    current: () => files.value.options,
    onChange: (listener) => void listeners.push(listener),
    certificates: () => files.value.certificates,
  };
}
