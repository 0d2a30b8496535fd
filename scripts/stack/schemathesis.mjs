import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aptInstall } from './apt.mjs';
import { root, stackRoot } from './paths.mjs';
import { lastLines, run, which, withProgress } from './shell.mjs';
import { StackError } from './stack-error.mjs';

const requirementsFile = join(root, 'scripts/fuzz/requirements.txt');
const folder = join(stackRoot, 'schemathesis');
const stamp = join(folder, '.installed');

const venv = () => run(which('python3'), ['-m', 'venv', folder]);

async function install(log) {
  if (!which('python3')) await aptInstall(log, ['python3', 'python3-venv'], 'Python 3');
  rmSync(folder, { recursive: true, force: true });
  let created = await venv();
  if (created.code !== 0) {
    // Debian has the module in a package of its own.
    await aptInstall(log, ['python3-venv'], "Python's venv");
    created = await venv();
  }
  if (created.code !== 0)
    throw new StackError(`Python cannot create an environment:\n${lastLines(created.output)}`);
  log('installing schemathesis with pip (only the first time)');
  // A network that swallows packets must not hold up the checks for long.
  const limits = ['--retries', '2', '--timeout', '20'];
  const args = [
    'install',
    '--quiet',
    '--disable-pip-version-check',
    ...limits,
    '-r',
    requirementsFile,
  ];
  const installed = await withProgress(log, 'installing', () => run(join(folder, 'bin/pip'), args));
  if (installed.code !== 0)
    throw new StackError(`pip cannot install schemathesis:\n${lastLines(installed.output)}`);
}

/**
 * Installs schemathesis, with the versions of `requirements.txt`, into an environment of its own.
 * @returns the path of its program
 * @throws StackError when Python or the package is out of reach
 */
export async function requireSchemathesis(log) {
  const requirements = readFileSync(requirementsFile, 'utf8');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== requirements) {
    await install(log);
    writeFileSync(stamp, requirements);
  }
  return join(folder, 'bin/schemathesis');
}
