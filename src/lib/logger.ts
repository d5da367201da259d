import { destination, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type { Logger };

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'auto' | 'json' | 'pretty';
}

/** Tells the operator something, with the facts that belong to it. */
export type Log = (level: 'info' | 'warn', message: string, facts: Readonly<Record<string, unknown>>) => void;

/** The program's log on standard output: JSON lines, or readable ones on a terminal. */
export function createLogger(options: LoggerOptions): Logger {
  const readable = options.format === 'pretty' || (options.format === 'auto' && process.stdout.isTTY);
  const stream = readable
    ? pretty({ ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l', singleLine: true, sync: true })
    : destination({ dest: 1, sync: true });
  return pino({ level: options.level, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}

/** The log for those who need to know nothing of its program. */
export function logTo(logger: Logger): Log {
  return (level, message, facts) => logger[level](facts, message);
}
