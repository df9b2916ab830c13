/** Checks between the keys of `upstream.tls`, `listenTls` and `listenSasl`. */
import type { KeyPath } from './fault.ts';
import type { RuleFault } from './rule-fault.ts';
import type { ListenSaslConfig, ListenTlsConfig, UpstreamTlsConfig } from './security.ts';

/** @param at where the mapping stands, here and below */
export function upstreamTlsFaults(tls: UpstreamTlsConfig, at: KeyPath): RuleFault[] {
  const fault = (key: keyof UpstreamTlsConfig, other: keyof UpstreamTlsConfig, message: string, mark: Mark = 'key') => {
    return { at: [[...at, key]], on: [[...at, other]], mark, message };
  };
  const found: RuleFault[] = [];
  if (tls.certificateFile !== undefined && tls.keyFile === undefined) {
    found.push(fault('certificateFile', 'keyFile', 'a certificate needs its key: set keyFile as well'));
  }
  if (tls.keyFile !== undefined && tls.certificateFile === undefined) {
    found.push(fault('keyFile', 'certificateFile', 'a key needs its certificate: set certificateFile as well'));
  }
  if (tls.keyPasswordFile !== undefined && tls.keyFile === undefined) {
    found.push(fault('keyPasswordFile', 'keyFile', 'there is no keyFile that it could be the password of'));
  }
  if (tls.pkcs12PasswordFile !== undefined && tls.pkcs12File === undefined) {
    found.push(fault('pkcs12PasswordFile', 'pkcs12File', 'there is no pkcs12File that it could be the password of'));
  }
  if (tls.pkcs12File !== undefined && (tls.certificateFile ?? tls.keyFile) !== undefined) {
    const pem = tls.certificateFile === undefined ? 'keyFile' : 'certificateFile';
    found.push(fault('pkcs12File', pem, `it has certificate and key in it: remove it, or ${pem}`));
  }
  if (!tls.rejectUnauthorized && !tls.insecureSkipVerify) {
    const message = 'false lets anybody pose as a broker: remove it, or confirm it with insecureSkipVerify: true';
    found.push(fault('rejectUnauthorized', 'insecureSkipVerify', message, 'value'));
  }
  if (tls.rejectUnauthorized && tls.insecureSkipVerify) {
    const message = 'means nothing without rejectUnauthorized: false: remove it, or set both';
    found.push(fault('insecureSkipVerify', 'rejectUnauthorized', message, 'value'));
  }
  return found;
}

type Mark = RuleFault['mark'];

/** Who clients are, by certificate or by password. `listenTls` and `listenSasl` stand at `at`. */
export function listenFaults(
  tls: ListenTlsConfig | undefined,
  sasl: ListenSaslConfig | undefined,
  at: KeyPath,
): RuleFault[] {
  const subject: KeyPath = [...at, 'listenTls', 'subjectIsUser'];
  const ca: KeyPath = [...at, 'listenTls', 'clientCaFile'];
  const users: KeyPath = [...at, 'listenSasl'];
  const mechanisms: KeyPath = [...users, 'mechanisms'];
  const found: RuleFault[] = [];
  if (tls?.subjectIsUser === true && tls.clientCaFile === undefined) {
    const message = 'clients need not show a certificate that could name them: set clientCaFile as well';
    found.push({ at: [subject], on: [ca], mark: 'value', message });
  }
  if (tls?.subjectIsUser === true && sasl === undefined) {
    const message = 'a certificate names a user of listenSasl.credentialsFile: set listenSasl as well';
    found.push({ at: [subject], on: [users], mark: 'value', message });
  }
  if (sasl?.mechanisms.length === 0 && tls?.subjectIsUser !== true) {
    const message = 'without mechanisms nobody could authenticate: name some, or set listenTls.subjectIsUser';
    found.push({ at: [mechanisms], on: [subject], mark: 'value', message });
  }
  return found;
}
