import { Body, type PipeTransform, type Type } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { RequestValidationPipe } from './request-validation.pipe';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route accepts a body; all other routes refuse every field of one. */
    takesBody?: boolean;
  }
}

/**
 * Nest's `@Body()`, which also marks the route as one that accepts a body: on all other routes,
 * every field of a body is unknown.
 * @param pipe validates the body; by default against the parameter's DTO
 */
export function JsonBody(pipe: Type<PipeTransform> = RequestValidationPipe): ParameterDecorator {
  return (controller, method, index) => {
    const name = method as string;
    const handler = Object.getOwnPropertyDescriptor(controller, name) as PropertyDescriptor;
    Body(pipe)(controller, name, index);
    RouteConfig({ takesBody: true })(controller, name, handler);
  };
}
