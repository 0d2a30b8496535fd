import { Controller, HttpCode, Logger, type OnModuleInit, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';
import { SignJWT } from 'jose';
import { Environment } from '../config';
import { ApiProblem, ID_SCHEMA, IsId, JsonBody, TIME_SCHEMA } from '../http';
import { signingSecret } from './signing-secret';

const VALID_FOR_SECONDS = 24 * 60 * 60;

const LOOPBACK = /^(127\.|::1$|localhost$)/;

export class DevTokenRequest {
  @ApiProperty({ ...ID_SCHEMA, example: 1 })
  @IsId()
  userId!: number;
}

export class DevToken {
  @ApiProperty()
  token!: string;

  @ApiProperty(TIME_SCHEMA)
  expiresAt!: number;
}

/** Issues tokens for any user, so that Swagger UI and the examples work. Not in production. */
@ApiTags('auth')
@Controller('api/auth/dev-token')
export class DevTokenController implements OnModuleInit {
  private readonly logger = new Logger('Auth');

  constructor(private readonly environment: Environment) {}

  onModuleInit(): void {
    const { HOST, NODE_ENV } = this.environment;
    if (!LOOPBACK.test(HOST))
      this.logger.warn(
        `NODE_ENV is ${NODE_ENV} and HOST is ${HOST}: anyone who can reach the port can get a token for any user. Set NODE_ENV=production if other people can reach it.`,
      );
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({ summary: 'A token for a user; this route does not exist in production' })
  @ApiOkResponse({ type: DevToken })
  @ApiProblem(400, '`VALIDATION_FAILED`')
  async issue(@JsonBody() { userId }: DevTokenRequest): Promise<DevToken> {
    const secret = signingSecret(this.environment);
    if (secret === null) throw new Error('the dev-token route is mounted without a secret');
    const expiresAt = Math.floor(Date.now() / 1000) + VALID_FOR_SECONDS;
    const token = await new SignJWT()
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(String(userId))
      .setIssuedAt()
      .setExpirationTime(expiresAt)
      .sign(secret);
    return { token, expiresAt: expiresAt * 1000 };
  }
}
