import { Injectable } from '@nestjs/common';
import type { VerifiableContext } from './verification';

/** The contexts that `npm run cli -- verify` and `rebuild` know. Each registers itself. */
@Injectable()
export class VerificationRegistry {
  private readonly contexts = new Map<string, VerifiableContext>();

  add(context: VerifiableContext): void {
    this.contexts.set(context.name, context);
  }

  find(name: string): VerifiableContext | undefined {
    return this.contexts.get(name);
  }

  get names(): readonly string[] {
    return [...this.contexts.keys()].sort();
  }
}
