import type { Config } from 'jest';
import { testEnvironment } from './test-environment';

/** Stops an e2e run that has no stack before the first test does, with a sentence. */
export default function globalSetup(_global: unknown, project: Config): void {
  // Jest calls it for whatever projects were selected; unit tests need nothing.
  if (project.displayName && JSON.stringify(project.displayName).includes('e2e')) testEnvironment();
}
