import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchJars } from './jars.mjs';
import { findJava } from './java.mjs';
import { kafkaBrokersOf, portsOf, root } from './paths.mjs';
import { ask, requireFreePort } from './ports.mjs';
import { ServiceProcess } from './service-process.mjs';
import { run } from './shell.mjs';
import { StackError } from './stack-error.mjs';

const settings = join(root, 'docker/kafka');

export const kafkaProcess = (profile) => new ServiceProcess('kafka', profile);

/**
 * A cluster id in Kafka's format: 16 bytes in base64url. Its first bit is 0, so that it never begins
 * with "-": Kafka's tool would read such an id as an option.
 */
function newClusterId() {
  const bytes = randomBytes(16);
  bytes[0] &= 0x7f;
  return bytes.toString('base64url');
}

/** The project's server.properties with this profile's ports and data folder. */
function writeConfiguration(profile, folder) {
  const client = `CLIENT://${kafkaBrokersOf(profile)}`;
  const controller = `127.0.0.1:${portsOf(profile).kafkaController}`;
  const lines = [
    readFileSync(join(settings, 'server.properties'), 'utf8'),
    `listeners=${client},CONTROLLER://${controller}`,
    `advertised.listeners=${client}`,
    `controller.quorum.voters=1@${controller}`,
    `log.dirs=${join(folder, 'data')}`,
  ];
  const path = join(folder, 'server.properties');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** Creates the data folder, unless it is complete: Kafka writes meta.properties last. */
async function format(java, service, configuration) {
  if (existsSync(join(service.folder, 'data/meta.properties'))) return;
  const done = await run(java.path, [
    ...java.args,
    'kafka.tools.StorageTool',
    'format',
    `--cluster-id=${newClusterId()}`,
    `--config=${configuration}`,
    '--ignore-formatted',
  ]);
  if (done.code !== 0)
    throw new StackError(
      `Kafka could not create its data folder: delete it with ${service.resetCommand}, then start again.\n${done.output}`,
    );
}

/** An ApiVersions request (key 18, version 0, correlation 1, no client id), which every broker answers. */
const HELLO = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);

/** Starts the private Kafka, or takes over a running one. Returns its address. */
export async function kafkaUp(profile, log) {
  const { kafka: port, kafkaController } = portsOf(profile);
  const service = kafkaProcess(profile);
  const { folder } = service;
  await service.ensure({
    log,
    address: `127.0.0.1:${port}`,
    isUp: () => ask(port, HELLO, (answer) => answer.length >= 8 && answer.readInt32BE(4) === 1),
    launch: async () => {
      const path = await findJava(log);
      const jars = await fetchJars(log, 'kafka', join(settings, 'pom.xml'));
      await requireFreePort('Kafka', port, 'KAFKA_BROKERS');
      await requireFreePort('Kafka', kafkaController, 'KAFKA_BROKERS');
      const configuration = writeConfiguration(profile, folder);
      const logging = `-Dlog4j2.configurationFile=${join(settings, 'log4j2.xml')}`;
      const args = ['-Xms128m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:+ExitOnOutOfMemoryError'];
      const java = { path, args: [...args, logging, '-cp', join(jars, '*')] };
      await format(java, service, configuration);
      service.start(java.path, [...java.args, 'kafka.Kafka', configuration]);
    },
  });
  return kafkaBrokersOf(profile);
}
