import { type Logger, pino } from 'pino';

export type { Logger };
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Operational log on stderr: readable on a terminal, JSON elsewhere. Never holds secrets; the audit log is elsewhere. */
export function createLog(level: LogLevel = 'info', name = 'postern'): Logger {
  const pretty = process.stderr.isTTY
    ? {
        transport: {
          target: 'pino-pretty',
          options: { destination: 2, ignore: 'pid,hostname,name', translateTime: 'HH:MM:ss' },
        },
      }
    : {};
  return pretty.transport
    ? pino({ name, level, ...pretty })
    : pino({ name, level }, pino.destination({ dest: 2, sync: true }));
}
