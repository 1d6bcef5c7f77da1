import { PosternError } from '../lib/errors.ts';

/** The words of a command contradict each other, or leave out what it needs. */
export class UsageError extends PosternError {
  constructor(message: string) {
    super('request_invalid', message);
  }
}
