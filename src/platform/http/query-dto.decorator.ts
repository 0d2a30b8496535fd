import { Query } from '@nestjs/common';
import { RequestValidationPipe } from './request-validation.pipe';

/** Nest's `@Query()`, validated and converted by the parameter's DTO. */
export const QueryDto = (): ParameterDecorator => Query(RequestValidationPipe);
