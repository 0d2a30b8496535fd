import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchJars, findJava } from './java.mjs';
import { portsOf, root, serviceFolder } from './paths.mjs';
import { requireFreePort, ServiceProcess } from './service-process.mjs';
import { run } from './shell.mjs';
import { StackError } from './stack-error.mjs';

export const kafkaProcess = (profile) =>
  new ServiceProcess('kafka', serviceFolder(profile, 'kafka'));

/**
 * A cluster id as Kafka writes it, 16 bytes in base64url. Its first bit is 0, so that it never begins
 * with "-", which Kafka's own tool would take for an option.
 */
export function newClusterId() {
  const bytes = randomBytes(16);
  bytes[0] &= 0x7f;
  return bytes.toString('base64url');
}

/** The project's server.properties with this profile's ports and data folder. */
function configure(profile, folder) {
  const { kafka, kafkaController } = portsOf(profile);
  const text = readFileSync(join(root, 'docker/kafka/server.properties'), 'utf8')
    .replaceAll('@PORT@', String(kafka))
    .replaceAll('@CONTROLLER_PORT@', String(kafkaController))
    .replaceAll('@DATA@', join(folder, 'data'));
  const path = join(folder, 'server.properties');
  writeFileSync(path, text);
  return path;
}

/** Starts the private Kafka, or adopts it when it runs. Gives its address. */
export async function kafkaUp(profile, log) {
  const folder = serviceFolder(profile, 'kafka');
  const { kafka: port, kafkaController } = portsOf(profile);
  const service = kafkaProcess(profile);
  if (service.pid() === undefined) {
    const java = await findJava(log);
    const jars = await fetchJars(log, 'kafka', join(root, 'docker/kafka/pom.xml'), '44 MB');
    const start = Date.now();
    await requireFreePort('kafka', port);
    await requireFreePort('kafka', kafkaController);
    mkdirSync(folder, { recursive: true });
    const configuration = configure(profile, folder);
    const logging = `-Dlog4j2.configurationFile=${join(root, 'docker/kafka/log4j2.xml')}`;
    const classPath = ['-cp', join(jars, '*')];
    if (!existsSync(join(folder, 'data', 'meta.properties'))) {
      log('making a data folder');
      const done = await run(java, [
        logging,
        ...classPath,
        'kafka.tools.StorageTool',
        'format',
        `--cluster-id=${newClusterId()}`,
        `--config=${configuration}`,
        '--ignore-formatted',
      ]);
      if (done.code !== 0)
        throw new StackError(`Kafka could not make its data folder:\n${done.output}`);
    }
    const pid = service.start(java, [
      '-Xms128m',
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:+ExitOnOutOfMemoryError',
      logging,
      ...classPath,
      'kafka.Kafka',
      configuration,
    ]);
    await service.waitUntil(() => service.logSays(/Kafka Server started/), 90);
    log(
      `up at 127.0.0.1:${port} after ${((Date.now() - start) / 1_000).toFixed(1)} s (process ${pid})`,
    );
  }
  return `127.0.0.1:${port}`;
}
