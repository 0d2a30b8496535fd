import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { delimiter, join } from 'node:path';
import { fetchJars, findJava } from './java.mjs';
import { databaseOf, portsOf, root, serviceFolder } from './paths.mjs';
import { ServiceProcess } from './service-process.mjs';

export const canalProcess = (profile) =>
  new ServiceProcess('canal', serviceFolder(profile, 'canal'));

export const canalProperties = (profile) =>
  join(serviceFolder(profile, 'canal'), 'conf/webook/instance.properties');

const SOURCES = ['CanalMain.java', 'FastPump.java'];

/** Canal's main class in one file, since Java's single-file launch compiles one file only. */
function mainSource(folder) {
  const [main, pump] = SOURCES.map((name) => readFileSync(join(root, 'canal/src', name), 'utf8'));
  const isImport = (line) => line.startsWith('import ');
  const lines = `${main}\n${pump}`.split('\n');
  const imports = [...new Set(lines.filter(isImport))];
  const path = join(folder, 'CanalMain.java');
  writeFileSync(path, [...imports, ...lines.filter((line) => !isImport(line))].join('\n'));
  return path;
}

/** A copy of canal/conf that names this profile's database. */
function configure(profile, folder) {
  const conf = join(folder, 'conf');
  rmSync(conf, { recursive: true, force: true });
  cpSync(join(root, 'canal/conf'), conf, { recursive: true });
  const instance = canalProperties(profile);
  const text = readFileSync(instance, 'utf8');
  writeFileSync(instance, text.replaceAll('webook\\\\.', `${databaseOf(profile)}\\\\.`));
  return conf;
}

/** What a running Canal was started with: one with other settings is replaced, not adopted. */
function settingsOf({ mysql, kafkaBrokers, flat }) {
  return createHash('sha1').update(`${mysql}|${kafkaBrokers}|${flat}`).digest('hex');
}

/**
 * Starts the private Canal, or adopts it when it runs with the same settings.
 * @param mysql host:port of the server whose binlog it reads
 * @param flat true for flat JSON messages, false for protobuf
 */
export async function canalUp(profile, { mysql, kafkaBrokers, flat }, log) {
  const folder = serviceFolder(profile, 'canal');
  const service = canalProcess(profile);
  const settings = settingsOf({ mysql, kafkaBrokers, flat });
  const running = service.pid();
  const marker = `-Dwebook.settings=${settings}`;
  if (running !== undefined) {
    if (readFileSync(`/proc/${running}/cmdline`, 'utf8').includes(marker)) return;
    await service.stop();
  }
  const java = await findJava(log);
  const jars = await fetchJars(log, 'canal', join(root, 'canal/pom.xml'), '42 MB');
  const start = Date.now();
  mkdirSync(join(folder, 'data'), { recursive: true });
  const conf = configure(profile, folder);
  const pid = service.start(java, [
    '-Xms64m',
    '-Xmx256m',
    '-XX:+UseSerialGC',
    '-XX:+ExitOnOutOfMemoryError',
    '-Dfile.encoding=UTF-8',
    marker,
    `-Dcanal.file.data.dir=${join(folder, 'data')}`,
    `-Dcanal.instance.master.address=${mysql}`,
    `-Dkafka.bootstrap.servers=${kafkaBrokers}`,
    `-Dcanal.mq.flatMessage=${flat}`,
    '-cp',
    [conf, join(jars, '*')].join(delimiter),
    mainSource(folder),
  ]);
  await service.waitUntil(() => service.logSays(/canal up/), 90);
  log(
    `up at ${mysql} -> ${kafkaBrokers}, ${flat ? 'flat JSON' : 'protobuf'} after ${((Date.now() - start) / 1_000).toFixed(1)} s (process ${pid})`,
  );
}

export const canalAddressOf = (profile, mysqlUrl) =>
  mysqlUrl
    ? `${new URL(mysqlUrl).hostname}:${new URL(mysqlUrl).port || 3306}`
    : `127.0.0.1:${portsOf(profile).mysql}`;
