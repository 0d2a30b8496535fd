import { Body, type PipeTransform, type Type } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { RequestValidationPipe } from './request-validation.pipe';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route reads a body; all others refuse what is in one. */
    takesBody?: boolean;
  }
}

/**
 * Nest's `@Body()` on a route that thereby takes one: without it, any field of a body is unknown.
 * @param pipe checks it, as the parameter's DTO asks when not given
 */
export function JsonBody(pipe: Type<PipeTransform> = RequestValidationPipe): ParameterDecorator {
  return (controller, method, index) => {
    const name = method as string;
    const handler = Object.getOwnPropertyDescriptor(controller, name) as PropertyDescriptor;
    Body(pipe)(controller, name, index);
    RouteConfig({ takesBody: true })(controller, name, handler);
  };
}
