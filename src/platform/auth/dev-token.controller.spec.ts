import { Logger } from '@nestjs/common';
import { Environment } from '../config';
import { DevTokenController } from './dev-token.controller';

describe('DevTokenController', () => {
  it.each([
    ['0.0.0.0', 1],
    ['::', 1],
    ['192.168.1.5', 1],
    ['127.0.0.1', 0],
    ['::1', 0],
    ['localhost', 0],
  ])('warns about its tokens when it listens on %s: %i times', (HOST, times) => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    new DevTokenController(Object.assign(new Environment(), { HOST })).onModuleInit();
    expect(warn).toHaveBeenCalledTimes(times);
    warn.mockRestore();
  });
});
