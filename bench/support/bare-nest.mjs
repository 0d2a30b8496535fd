// The reference of the HTTP benchmark: a Nest route on Fastify that only returns fixed bytes.
import 'reflect-metadata';
import { Body, Controller, Get, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

const { GET_ANSWER = '{}', QUERY_ANSWER = '{}', PORT } = process.env;
const one = JSON.parse(GET_ANSWER);
const many = JSON.parse(QUERY_ANSWER);

class BareController {
  get() {
    return one;
  }
  query() {
    return many;
  }
  ready() {
    return {};
  }
}
const decorate = (name, ...decorators) => {
  const descriptor = Object.getOwnPropertyDescriptor(BareController.prototype, name);
  for (const decorator of decorators) decorator(BareController.prototype, name, descriptor);
};
decorate('get', Get('api/interactive/:biz/:bizId'));
decorate('query', Post('api/interactive/query'), HttpCode(200));
decorate('ready', Get('readyz'));
Body()(BareController.prototype, 'query', 0);
Controller()(BareController);
class BareModule {}
Module({ controllers: [BareController] })(BareModule);

const app = await NestFactory.create(BareModule, new FastifyAdapter(), { logger: false });
app.enableShutdownHooks();
await app.listen(Number(PORT), '127.0.0.1');
