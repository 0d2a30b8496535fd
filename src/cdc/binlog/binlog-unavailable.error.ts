import { InvalidEnvironmentError } from '../../platform/config';

/**
 * The server writes no binlog that can be captured, or the user may not read it. The message says what
 * to set.
 */
export class BinlogUnavailableError extends InvalidEnvironmentError {}
