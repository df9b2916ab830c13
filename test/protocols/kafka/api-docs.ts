/** docs/kafka-apis.md, made from the table in code. `node test/protocols/kafka/api-docs.ts > docs/kafka-apis.md` */
import { APIS, type Api, bearsAddresses, isOffered } from '../../../src/protocols/kafka/api-table.ts';

const CLASSES: Readonly<Record<Api['kind'], string>> = {
  versions: 'absorb',
  metadata: 'absorb (sleepers), else pool',
  produce: 'pool; acks=0: pin',
  pool: 'pool',
  hold: 'hold',
  pinHard: 'pin hard',
  sasl: 'SASL',
  hidden: 'refuse (not advertised)',
  refuse: 'refuse',
};

function row(api: Api): string {
  const versions = isOffered(api, true) ? `${api.minVersion}-${api.maxVersion}` : '-';
  const clock = isOffered(api, true) ? (api.work ? 'yes' : 'no') : '-';
  const cells = [api.key, api.name, CLASSES[api.kind], clock, versions, bearsAddresses(api.key) ? 'yes' : ''];
  return `| ${cells.join(' | ')} |`;
}

export function apiDocs(): string {
  return `# Kafka APIs

What the sidecar does with each request, and in which versions it knows it. Made from \`src/protocols/kafka/api-table.ts\`.

* Class: \`absorb\` answered locally where that is honest; \`pool\` over a leased connection; \`hold\` over one leased at once, for
  the broker may keep the answer back; \`pin\` and \`pin hard\` over one of the client's own; \`refuse\` closes the client.
* \`SASL\`: answered locally on routes with \`listenSasl\`; passed on to the broker, \`pin hard\`, as everything is but ApiVersions,
  on routes with \`upstream.saslPassThrough\`; on all others neither offered nor taken.
* Clock: whether the request is valid data, which keeps a broker connection from being released as idle.
* Versions: told to clients are the broker's, cut at these. Newer ones of an API that names brokers close the client; of any
  other they, and unknown API keys, pin the client for the rest of its life.
* Addresses: answers name brokers and are rewritten (Fetch: the hint is made void from version 16 on).

| key | API | class | clock | versions | addresses |
| --- | --- | --- | --- | --- | --- |
${APIS.map(row).join('\n')}
`;
}

if (import.meta.main) process.stdout.write(apiDocs());
