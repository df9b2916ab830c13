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

/** @returns the folder that `build` filled, now or earlier */
export async function prepared(
  name: string,
  recipe: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
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
    await copyJars(partial, text);
  });
  return join(folder, 'libs');
}

/** Fetches what a description of Maven's asks for at run time into `libs` of a folder. */
export async function copyJars(folder: string, text: string): Promise<void> {
  const file = join(folder, 'pom.xml');
  writeFileSync(file, text);
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${join(folder, 'libs')}`];
  await run('mvn', ['-q', '-ntp', '-B', '-Dstyle.color=never', '-f', file, ...goal], {
    withinMilliseconds: 5 * MINUTES,
  });
}

/** @returns a folder of classes: our meter and our clients, which run with the jars of any version */
export async function javaClasses(): Promise<string> {
  return compiled('java-classes', JAVA_SOURCES, await kafkaJars(KAFKA_CURRENT), KAFKA_CURRENT);
}

/** Compiles every Java source of a folder. */
export function compiled(name: string, folder: string, jars: string, version: string): Promise<string> {
  const paths = readdirSync(folder)
    .filter((file) => file.endsWith('.java'))
    .map((file) => join(folder, file));
  const recipe = paths.map((path) => readFileSync(path, 'utf8')).join('\n') + version;
  return prepared(name, recipe, async (partial) => {
    const flags = ['-nowarn', '-Xlint:none', '-proc:none', '-encoding', 'UTF-8'];
    await run('javac', [...flags, '-cp', join(jars, '*'), '-d', partial, ...paths], {
      withinMilliseconds: 2 * MINUTES,
    });
  });
}

/** @returns a Python that can import confluent_kafka */
export function librdkafkaPython(): Promise<string> {
  return pythonWith('python', `confluent-kafka==${CONFLUENT_KAFKA}`, 'confluent_kafka');
}

/** @returns a Python that has that package and can import the module */
export async function pythonWith(name: string, requirement: string, module: string): Promise<string> {
  const folder = await prepared(name, requirement, async (partial) => {
    await run('python3', ['-m', 'venv', partial], { withinMilliseconds: 2 * MINUTES });
    // A venv that is moved keeps its packages, but only `python -m pip` would still find its pip.
    const python = join(partial, 'bin', 'python');
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:'];
    await run(python, [...install, requirement], { withinMilliseconds: 5 * MINUTES });
    await run(python, ['-c', `import ${module}`]);
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
