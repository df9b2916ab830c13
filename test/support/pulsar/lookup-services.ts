/** Who serves a topic, and what there is. */
import { ServerError } from './commands.ts';
import { isTopicName, type Services } from './service.ts';

const LookupType = { redirect: 0, connect: 1, failed: 2 } as const;
const PARTITIONS_FOUND = 0;

export const lookups: Services = {
  LOOKUP: (connection, { topic: name = '', requestId = 0n }) => {
    const { cluster, index } = connection.broker;
    if (!isTopicName(name))
      return connection.send('LOOKUP_RESPONSE', {
        ...{ requestId, response: LookupType.failed, error: ServerError.invalidTopicName, message: 'no topic name' },
      });
    const topic = cluster.find(name);
    if (topic === undefined)
      return connection.send('LOOKUP_RESPONSE', {
        ...{ requestId, response: LookupType.failed, error: ServerError.topicNotFound, message: `${name} not found` },
      });
    const { url, urlTls } = cluster.broker(topic.owner);
    const isRedirect = topic.owner !== index && cluster.options.redirects;
    const response = isRedirect ? LookupType.redirect : LookupType.connect;
    const proxied = cluster.options.standaloneLookups ? { proxyThroughServiceUrl: true } : {};
    connection.send('LOOKUP_RESPONSE', { url, urlTls, response, requestId, authoritative: true, ...proxied });
  },
  PARTITIONED_METADATA: (connection, { topic = '', requestId = 0n }) => {
    const partitions = connection.broker.cluster.topics.get(topic)?.partitions ?? 0;
    connection.send('PARTITIONED_METADATA_RESPONSE', { partitions, requestId, response: PARTITIONS_FOUND });
  },
  GET_TOPICS_OF_NAMESPACE: (connection, { requestId = 0n, namespace = '' }) => {
    if (!/^[^/]+\/[^/]+$/.test(namespace)) {
      connection.close(`no namespace: ${namespace}`);
      return;
    }
    const topics = [...connection.broker.cluster.topics.keys()].filter((name) => name.includes(`://${namespace}/`));
    connection.send('GET_TOPICS_OF_NAMESPACE_RESPONSE', { requestId, topics });
  },
  GET_SCHEMA: (connection, { requestId = 0n, topic = '' }) => {
    const schemaVersion = connection.broker.cluster.topics.get(topic)?.schemaVersion ?? Buffer.alloc(0);
    if (schemaVersion.length === 0)
      return connection.send('GET_SCHEMA_RESPONSE', {
        requestId,
        error: ServerError.topicNotFound,
        message: 'no schema',
      });
    connection.send('GET_SCHEMA_RESPONSE', { requestId, schemaVersion });
  },
  GET_OR_CREATE_SCHEMA: (connection, { requestId = 0n, topic = '' }) => {
    const { schemaVersion } = connection.broker.cluster.topic(topic);
    connection.send('GET_OR_CREATE_SCHEMA_RESPONSE', { requestId, schemaVersion });
  },
};
