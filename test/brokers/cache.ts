/**
 * What is fetched or compiled once and kept: Kafka's jars, our Java classes, a Python with librdkafka. Everything
 * lies in a folder named after a digest of its recipe, is built beside it and moved there whole: an interrupted or a
 * doubled preparation does no harm.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { run } from './child.ts';
import { SCRAM_ARGUMENTS } from './security.ts';
import { CONFLUENT_KAFKA, KAFKA_CURRENT, type KafkaVersion, SCALA, SLF4J } from './versions.ts';

const JAVA_SOURCES = join(import.meta.dirname, 'java');
const MINUTES = 60_000;

function cacheFolder(): string {
  return process.env.SLACKWATER_BROKERS_DIR ?? join(homedir(), '.cache', 'slackwater-test');
}

async function prepared(name: string, recipe: string, build: (folder: string) => Promise<void>): Promise<string> {
  const digest = createHash('sha256').update(recipe).digest('hex').slice(0, 10);
  const folder = join(cacheFolder(), `${name}-${digest}`);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.${process.pid}.partial`;
  mkdirSync(partial, { recursive: true });
  try {
    await build(partial);
    try {
      renameSync(partial, folder);
    } catch (error) {
      // Somebody else built the same meanwhile: theirs is as good.
      if (!existsSync(folder)) throw error;
    }
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}

/** Maven's description of all that a broker, its tools and the Java clients need at run time. */
function pom(version: KafkaVersion): string {
  const dependency = (group: string, artifact: string, at: string, without = '') =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${at}</version>` +
    `<exclusions>${without}</exclusions></dependency>`;
  // One way to log for every version: slf4j-simple, steered by system properties. Connect brings web servers along.
  const without =
    '<exclusion><groupId>org.slf4j</groupId><artifactId>slf4j-reload4j</artifactId></exclusion>' +
    '<exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-runtime</artifactId></exclusion>';
  return [
    '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>',
    '<groupId>slackwater.test</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>',
    '<dependencies>',
    dependency('org.apache.kafka', `kafka_${SCALA}`, version, without),
    dependency('org.apache.kafka', 'kafka-tools', version, without),
    dependency('org.slf4j', 'slf4j-simple', SLF4J),
    '</dependencies></project>',
  ].join('\n');
}

/** @returns a folder of jars */
export async function kafkaJars(version: KafkaVersion): Promise<string> {
  const text = pom(version);
  const folder = await prepared(`kafka-${version}`, text, async (partial) => {
    writeFileSync(join(partial, 'pom.xml'), text);
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${join(partial, 'libs')}`];
    const args = ['-q', '-ntp', '-B', '-Dstyle.color=never', '-f', join(partial, 'pom.xml'), ...goal];
    await run('mvn', args, { withinMilliseconds: 5 * MINUTES });
  });
  return join(folder, 'libs');
}

/** @returns a folder of classes: our meter and our clients, which run with the jars of any version */
export async function javaClasses(): Promise<string> {
  const jars = await kafkaJars(KAFKA_CURRENT);
  const sources = readdirSync(JAVA_SOURCES).filter((name) => name.endsWith('.java'));
  const recipe = sources.map((name) => readFileSync(join(JAVA_SOURCES, name), 'utf8')).join('\n') + KAFKA_CURRENT;
  return prepared('java-classes', recipe, async (partial) => {
    const paths = sources.map((name) => join(JAVA_SOURCES, name));
    const args = ['-nowarn', '-Xlint:none', '-encoding', 'UTF-8', '-cp', join(jars, '*'), '-d', partial, ...paths];
    await run('javac', args, { withinMilliseconds: 2 * MINUTES });
  });
}

/** @returns a Python that can import confluent_kafka */
export async function librdkafkaPython(): Promise<string> {
  const folder = await prepared('python', `confluent-kafka==${CONFLUENT_KAFKA}`, async (partial) => {
    await run('python3', ['-m', 'venv', partial], { withinMilliseconds: 2 * MINUTES });
    // A venv that is moved keeps its packages, but only `python -m pip` would still find its pip.
    const python = join(partial, 'bin', 'python');
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:'];
    await run(python, [...install, `confluent-kafka==${CONFLUENT_KAFKA}`], { withinMilliseconds: 5 * MINUTES });
    await run(python, ['-c', 'import confluent_kafka']);
  });
  return join(folder, 'bin', 'python');
}

/**
 * The first records of a cluster's metadata, with every feature of this version finalized as `StorageTool format`
 * decides. They name no cluster and no node: formatting once spares a JVM for each broker of each cluster.
 *
 * @param users whether the users of SCRAM are among them
 * @returns the path of a `bootstrap.checkpoint`
 */
export async function bootstrapCheckpoint(version: KafkaVersion, users = false): Promise<string> {
  const jars = await kafkaJars(version);
  const name = 'bootstrap.checkpoint';
  const scram = users ? SCRAM_ARGUMENTS : [];
  const folder = await prepared(`checkpoint-${version}`, [pom(version), ...scram].join('\n'), async (partial) => {
    const properties = join(partial, 'format.properties');
    const lines = [
      'process.roles=broker,controller',
      'node.id=1',
      'controller.quorum.voters=1@127.0.0.1:1',
      'listeners=BROKERS://127.0.0.1:2,CONTROLLER://127.0.0.1:1',
      'controller.listener.names=CONTROLLER',
      'inter.broker.listener.name=BROKERS',
      'listener.security.protocol.map=CONTROLLER:PLAINTEXT,BROKERS:PLAINTEXT',
      `log.dirs=${partial}`,
    ];
    writeFileSync(properties, `${lines.join('\n')}\n`);
    const tool = ['kafka.tools.StorageTool', 'format', '--cluster-id', 'AAAAAAAAQACAAAAAAAAAAQ', '-c', properties];
    await run('java', ['-XX:TieredStopAtLevel=1', '-cp', join(jars, '*'), ...tool, ...scram]);
  });
  return join(folder, name);
}
