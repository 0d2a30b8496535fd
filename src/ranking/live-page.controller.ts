import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { handsOutTokens } from '../platform/auth';
import { Environment } from '../platform/config';

/** The page that shows the boards moving: one file without any other. */
@ApiExcludeController()
@Controller()
export class LivePageController {
  private readonly page: string;

  constructor(environment: Environment) {
    const page = readFileSync(join(__dirname, 'live-page.html'), 'utf8');
    // A heart likes by a development token.
    this.page = handsOutTokens(environment) ? page : page.replace(' data-hearts', '');
  }

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('cache-control', 'no-cache')
  show(): string {
    return this.page;
  }
}
