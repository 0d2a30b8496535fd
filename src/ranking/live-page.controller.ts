import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

/** The page that shows the boards moving: one file without any other. */
@ApiExcludeController()
@Controller()
export class LivePageController {
  private readonly page = readFileSync(join(__dirname, 'live-page.html'), 'utf8');

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('cache-control', 'no-cache')
  show(): string {
    return this.page;
  }
}
