/** What is tested against: one place for every version that is fetched. */

/** The Kafka that is current, and the last one that still spoke the oldest protocol versions. */
export const KAFKA_CURRENT = '4.2.1';
export const KAFKA_PREVIOUS = '3.9.2';
export const KAFKA_VERSIONS = [KAFKA_CURRENT, KAFKA_PREVIOUS] as const;
export type KafkaVersion = (typeof KAFKA_VERSIONS)[number];

export const SCALA = '2.13';
/** Kafka 3.9 and 4.2 both log through slf4j 1.7. */
export const SLF4J = '1.7.36';
/** Carries librdkafka 2.16. */
export const CONFLUENT_KAFKA = '2.16.1';

/** The oldest Pulsar that is maintained for long. */
export const PULSAR = '4.0.8';
/** Its module for OpenTelemetry is missing from some mirrors; this one fits. */
export const PULSAR_OPENTELEMETRY = '4.0.7';
/** Carries the C++ client 3.8. */
export const PULSAR_CLIENT = '3.13.0';
