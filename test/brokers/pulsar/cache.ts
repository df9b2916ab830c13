/** What is fetched or compiled once for Pulsar and kept beside what Kafka needs: jars, our Java classes, a Python. */
import { join } from 'node:path';
import { compiled, copyJars, prepared, pythonWith } from '../cache.ts';
import { PULSAR, PULSAR_CLIENT, PULSAR_OPENTELEMETRY } from '../versions.ts';

const GROUP = 'org.apache.pulsar';

function pom(): string {
  const dependency = (group: string, artifact: string, more = '') =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId>${more}</dependency>`;
  const version = `<version>${PULSAR}</version>`;
  // The client of etcd is for metadata that nobody keeps there in these tests.
  const lean = `${version}<exclusions><exclusion><groupId>${GROUP}</groupId><artifactId>jetcd-core-shaded</artifactId></exclusion></exclusions>`;
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    '<groupId>slackwater.test</groupId><artifactId>pulsar</artifactId><version>1</version><packaging>pom</packaging>',
    '<dependencyManagement><dependencies>',
    dependency(GROUP, 'pulsar-opentelemetry', `<version>${PULSAR_OPENTELEMETRY}</version>`),
    // Pulsar's parent names the version of everything that it is released with.
    dependency(GROUP, 'pulsar', `${version}<type>pom</type><scope>import</scope>`),
    '</dependencies></dependencyManagement><dependencies>',
    dependency(GROUP, 'pulsar-testclient', lean),
    dependency(GROUP, 'pulsar-proxy', lean),
    dependency('org.apache.logging.log4j', 'log4j-core'),
    dependency('org.apache.logging.log4j', 'log4j-slf4j2-impl'),
    '</dependencies></project>',
  ].join('\n');
}

/** @returns a folder of jars: brokers, proxy, load tool and Java client */
export async function pulsarJars(): Promise<string> {
  const text = pom();
  const folder = await prepared(`pulsar-${PULSAR}`, text, (partial) => copyJars(partial, text));
  return join(folder, 'libs');
}

/** @returns a folder of classes: our starter of a broker and our clients */
export async function pulsarClasses(): Promise<string> {
  return compiled('pulsar-classes', join(import.meta.dirname, 'java'), await pulsarJars(), PULSAR);
}

/** @returns a Python that can import pulsar, which is the C++ client */
export function pulsarPython(): Promise<string> {
  return pythonWith('python', `pulsar-client==${PULSAR_CLIENT}`, 'pulsar');
}
