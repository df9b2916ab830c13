/** Which certificate a listener shows. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { until } from './until.ts';

/** A broker's network threads, of which each takes a new certificate in its own time and every so manieth connection. */
const NETWORK_THREADS = 4;

async function shows(port: number, wanted: Buffer): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().raw.equals(wanted);
  } finally {
    // A listener that wants a certificate of ours says so by hanging up.
    socket.on('error', () => undefined).destroy();
  }
}

/** @throws Error if the listener on this local port does not show it, however often it is asked, within 10 s */
export async function untilShown(port: number, certificateFile: string): Promise<void> {
  const { raw } = new X509Certificate(readFileSync(certificateFile));
  await until(`the certificate ${certificateFile} to be shown`, 10_000, async () => {
    for (let turn = 0; turn < NETWORK_THREADS; turn++) if (!(await shows(port, raw))) return 'another one';
    return true;
  });
}
