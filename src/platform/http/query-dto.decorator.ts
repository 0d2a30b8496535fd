import { Query } from '@nestjs/common';
import { RequestValidationPipe } from './request-validation.pipe';

/** Nest's `@Query()`, checked and converted as the parameter's DTO asks. */
export const QueryDto = (): ParameterDecorator => Query(RequestValidationPipe);
