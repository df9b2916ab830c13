/** What `slackwater check` says about certificates and connections. */
import type { CertificateInUse } from '../probe/files.ts';
import type { ProbedAddress, ProbedRoute } from '../probe/route-probe.ts';
import { printable, table } from './table.ts';
import { count } from './words.ts';

const DAY_SECONDS = 86_400;
const SOON_DAYS = 30;
/** What applications do most. */
const TOLD_APIS = ['Produce', 'Fetch'];

/** The first to expire of each file. @param now Unix seconds, here and below */
export function certificateLines(certificates: readonly CertificateInUse[], now: number): string[] {
  const found = firstOfEach(certificates);
  if (found.length === 0) return [];
  const rows = found.map(({ first, total }) => [
    first.route === '' ? 'admin' : first.route,
    first.use,
    first.path,
    total === 1 ? first.subject : `${first.subject} (of ${total})`,
    untilWords(first.expiry, now),
  ]);
  return table(['certificates of', 'as', 'file', 'subject', 'until'], rows);
}

export function expiryWarnings(certificates: readonly CertificateInUse[], now: number): string[] {
  return firstOfEach(certificates)
    .filter(({ first }) => first.expiry - now < SOON_DAYS * DAY_SECONDS)
    .map(({ first }) => {
      const where = first.route === '' ? 'admin' : `route ${first.route}`;
      return `${where}: the certificate of ${first.subject} in ${first.path} ${expiryWords(first.expiry, now)}`;
    });
}

function firstOfEach(certificates: readonly CertificateInUse[]) {
  const groups = Map.groupBy(certificates, ({ route, use, path }) => JSON.stringify([route, use, path]));
  return [...groups.values()].flatMap((group) => {
    const [first] = group.toSorted((a, b) => a.expiry - b.expiry);
    return first === undefined ? [] : [{ first, total: group.length }];
  });
}

export function connectionLines(routes: readonly ProbedRoute[], now: number): string[] {
  return routes.flatMap((route) => [
    `connections of route ${route.name}`,
    ...route.addresses.flatMap((probed) => addressLines(route, probed, now)).map((line) => printable(`  ${line}`)),
  ]);
}

function addressLines(route: ProbedRoute, probed: ProbedAddress, now: number): string[] {
  const { address, dialled, identity, failure, milliseconds } = probed;
  const at = dialled === address ? address : `${address}, dialled at ${dialled}`;
  const who = identity === '' ? '' : `, as user ${identity}`;
  if (failure !== null) {
    const { reason, detail, meaning, remedy } = failure;
    const so = [...tlsLines(probed, now), `because  ${reason}: ${detail}`, `that is  ${meaning}`, `do       ${remedy}`];
    return [`${at}${who}  failed after ${milliseconds} ms`, ...indented(so)];
  }
  return [`${at}${who}  ok after ${milliseconds} ms`, ...indented([...tlsLines(probed, now), ...found(route, probed)])];
}

function tlsLines({ tls }: ProbedAddress, now: number): string[] {
  if (tls === null) return [];
  const names = tls.names === '' ? '' : ` for ${tls.names}`;
  return [`tls      ${tls.version}, certificate of ${tls.subject}${names}, ${untilWords(tls.expiry, now)}`];
}

function found(route: ProbedRoute, probed: ProbedAddress): string[] {
  const { shown, clusterId, brokers, sessionLifetimeMilliseconds: lifetime } = probed;
  const lines: string[] = [];
  if (shown !== null) {
    const session = lifetime === 0 ? '' : `, for ${Math.round(lifetime / 1000)} s at a time`;
    const name = shown.username === null ? '' : ` as ${shown.username}`;
    lines.push(
      // A Pulsar broker that asks nobody takes everything.
      route.protocol === 'pulsar'
        ? `auth     accepted${name} (${methodOf(shown.mechanism)})`
        : `sasl     authenticated${name} (${shown.mechanism})${session}`,
    );
  }
  if (brokers !== null) {
    const list = brokers.map(({ node, address }) => `${node} at ${address}`).join(', ');
    const cluster = clusterId === null ? '' : `${clusterId}, `;
    lines.push(`cluster  ${cluster}${count(brokers.length, 'broker')}: ${list}`);
  }
  lines.push(...apiLines(probed), ...brokerLines(probed));
  if (route.protocol === 'tcp') lines.push('asked    nothing: a tcp route passes bytes on as they are');
  else if (!route.authenticates) {
    lines.push(
      route.protocol === 'pulsar'
        ? 'asked    nothing: what clients show is passed on, and the sidecar has no credential (upstream.auth)'
        : 'asked    nothing else: clients of this route authenticate themselves, and the sidecar has no credential',
    );
  }
  return lines;
}

/** As Pulsar calls it. */
function methodOf(mechanism: string): string {
  return mechanism === 'PLAIN' ? 'basic' : 'token';
}

function brokerLines({ broker }: ProbedAddress): string[] {
  if (broker === null) return [];
  const { version, protocolVersion, maxMessageBytes } = broker;
  return [`serves   ${version}, protocol ${protocolVersion}, messages up to ${maxMessageBytes} bytes`];
}

function apiLines({ apis }: ProbedAddress): string[] {
  if (apis === null) return [];
  const told = TOLD_APIS.flatMap((name) => {
    const api = apis.find((each) => each.name === name);
    return api === undefined ? [] : [`${name} ${api.min} to ${api.max} (known up to ${api.ours})`];
  });
  return [`serves   ${[...told, `${count(apis.length, 'API')} in all`].join(', ')}`];
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function untilWords(expiry: number, now: number): string {
  return `until ${new Date(expiry * 1000).toISOString().slice(0, 10)} (${expiryWords(expiry, now)})`;
}

function expiryWords(expiry: number, now: number): string {
  const days = Math.floor(Math.abs(expiry - now) / DAY_SECONDS);
  return expiry < now ? `expired ${count(days, 'day')} ago` : `expires in ${count(days, 'day')}`;
}
