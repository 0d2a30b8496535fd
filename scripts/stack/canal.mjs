import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { fetchJars } from './jars.mjs';
import { findJava } from './java.mjs';
import { binlogFiles } from './mysql.mjs';
import { databaseOf, portsOf, root, serviceFolder } from './paths.mjs';
import { ServiceProcess } from './service-process.mjs';

const source = join(root, 'canal');

export const canalProcess = (profile) => new ServiceProcess('canal', profile);

/** The copy of instance.properties that this profile's Canal runs with. */
export const canalProperties = (profile) =>
  join(serviceFolder(profile, 'canal'), 'conf/webook/instance.properties');

/** Copies canal/conf, with this profile's database in place of `webook`. Returns the copy's path. */
function writeConfiguration(profile, folder) {
  const conf = join(folder, 'conf');
  rmSync(conf, { recursive: true, force: true });
  cpSync(join(source, 'conf'), conf, { recursive: true });
  const instance = canalProperties(profile);
  const text = readFileSync(instance, 'utf8');
  writeFileSync(instance, text.replaceAll('webook\\\\.', `${databaseOf(profile)}\\\\.`));
  return conf;
}

/** A hash of everything that decides how Canal runs. A Canal with another hash is restarted. */
function fingerprint(addresses) {
  const hash = createHash('sha1').update(JSON.stringify(addresses));
  for (const file of [
    'pom.xml',
    'src/CanalMain.java',
    'conf/canal.properties',
    'conf/webook/instance.properties',
    'conf/spring/file-instance.xml',
  ])
    hash.update(readFileSync(join(source, file)));
  return hash.digest('hex');
}

/** The binlog file of the stored cursor. A cursor that a crash has truncated is set aside. */
function cursorFile(data, log) {
  const path = join(data, 'webook/meta.dat');
  if (!existsSync(path)) return undefined;
  const text = readFileSync(path, 'utf8');
  try {
    JSON.parse(text);
    return /"journalName":"([^"]+)"/.exec(text)?.[1];
  } catch {
    renameSync(path, `${path}.unreadable`);
    log(`its cursor ${path} cannot be read and is set aside as meta.dat.unreadable`);
    return undefined;
  }
}

/**
 * The oldest binlog file that still exists: Canal begins there when it has no stored cursor. A cursor
 * in a file that has expired, or that belongs to an earlier MySQL, would stall Canal for ever: it is
 * deleted.
 */
async function firstFile(profile, data, log) {
  const files = await binlogFiles(profile);
  const stored = cursorFile(data, log);
  if (stored && !files.includes(stored)) {
    log(`its cursor is in ${stored}, which no longer exists: starting again at ${files[0]}`);
    rmSync(data, { recursive: true });
  }
  return files[0];
}

/**
 * Starts the private Canal on the private MySQL, or takes over one that runs with the same settings.
 * @param flat true for flat JSON messages, false for protobuf
 */
export async function canalUp(profile, { kafkaBrokers, flat }, log) {
  const service = canalProcess(profile);
  const { folder } = service;
  const mysql = `127.0.0.1:${portsOf(profile).mysql}`;
  const marker = `-Dwebook.settings=${fingerprint({ mysql, kafkaBrokers, flat })}`;
  const running = service.pid();
  if (running !== undefined && !service.commandLine(running).includes(marker)) {
    log('its settings have changed: restarting it');
    await service.stop();
  }
  await service.ensure({
    log,
    address: `${mysql} -> ${kafkaBrokers} (${flat ? 'flat JSON' : 'protobuf'})`,
    isUp: () => service.logSays(/find start position successfully/),
    launch: async () => {
      const java = await findJava(log);
      const jars = await fetchJars(log, 'canal', join(source, 'pom.xml'));
      const data = join(folder, 'data');
      const file = await firstFile(profile, data, log);
      mkdirSync(data, { recursive: true });
      service.start(java, [
        '-Xms64m',
        '-Xmx256m',
        '-XX:+UseSerialGC',
        '-XX:+ExitOnOutOfMemoryError',
        '-Dfile.encoding=UTF-8',
        marker,
        `-Dcanal.file.data.dir=${data}`,
        `-Dcanal.instance.master.address=${mysql}`,
        `-Dcanal.instance.master.journal.name=${file}`,
        `-Dkafka.bootstrap.servers=${kafkaBrokers}`,
        `-Dcanal.mq.flatMessage=${flat}`,
        '-cp',
        [writeConfiguration(profile, folder), join(jars, '*')].join(delimiter),
        join(source, 'src/CanalMain.java'),
      ]);
    },
  });
}
