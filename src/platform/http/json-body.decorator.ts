import { Body, type PipeTransform, type Type } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route reads a body; all others refuse what is in one. */
    takesBody?: boolean;
  }
}

/** Nest's `@Body()` on a route that thereby takes one: without it, any field of a body is unknown. */
export function JsonBody(...pipes: (PipeTransform | Type<PipeTransform>)[]): ParameterDecorator {
  return (controller, method, index) => {
    const name = method as string;
    const handler = Object.getOwnPropertyDescriptor(controller, name) as PropertyDescriptor;
    Body(...pipes)(controller, name, index);
    RouteConfig({ takesBody: true })(controller, name, handler);
  };
}
