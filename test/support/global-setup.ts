import type { Config } from 'jest';
import { testEnvironment } from './test-environment';

/** Stops an e2e run that has no stack before its first test, with a clear message. */
export default function globalSetup(_global: unknown, project: Config): void {
  // Jest also calls this for unit tests, which need no stack.
  if (project.displayName && JSON.stringify(project.displayName).includes('e2e')) testEnvironment();
}
