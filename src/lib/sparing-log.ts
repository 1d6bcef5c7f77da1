/** A log for lines with fields. */
export interface LineLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

const EVERY_MS = 10_000;
/** Texts counted at once; beyond it the oldest is summed up early. Texts are constants of the program, so there are few. */
const MAX_TEXTS = 100;

/**
 * A log for failures that come once for each request. The first line of a text is written at once; those that follow are
 * counted, and each 10 s one line says the last of them and `times`. After 10 s without any, the next is a first again.
 */
export class SparingLog implements LineLog, Disposable {
  readonly #log: LineLog;
  readonly #everyMs: number;
  readonly #repeated = new Map<string, Repeated>();

  constructor(log: LineLog, everyMs = EVERY_MS) {
    this.#log = log;
    this.#everyMs = everyMs;
  }

  info(fields: object, text: string): void {
    this.#note('info', fields, text);
  }

  warn(fields: object, text: string): void {
    this.#note('warn', fields, text);
  }

  error(fields: object, text: string): void {
    this.#note('error', fields, text);
  }

  /** When it is over: says what was counted, and the next line of each text is a first again. */
  sumUp(): void {
    for (const key of this.#repeated.keys()) this.#forget(key);
  }

  [Symbol.dispose](): void {
    this.sumUp();
  }

  #note(level: keyof LineLog, fields: object, text: string): void {
    const key = `${level} ${text}`;
    const known = this.#repeated.get(key);
    if (known) {
      known.add(fields);
      return;
    }
    this.#log[level](fields, text);
    const [oldest] = this.#repeated.keys();
    if (oldest !== undefined && this.#repeated.size >= MAX_TEXTS) this.#forget(oldest);
    const repeated = new Repeated((last) => this.#log[level](last, text));
    repeated.start(this.#everyMs, () => this.#forget(key));
    this.#repeated.set(key, repeated);
  }

  #forget(key: string): void {
    this.#repeated.get(key)?.end();
    this.#repeated.delete(key);
  }
}

/** One text that is being counted. */
class Repeated {
  readonly #write: (fields: object) => void;
  #last: object = {};
  #times = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (fields: object) => void) {
    this.#write = write;
  }

  add(fields: object): void {
    this.#last = fields;
    this.#times += 1;
  }

  start(everyMs: number, over: () => void): void {
    this.#timer = setInterval(() => {
      if (this.#times === 0) over();
      else this.#sumUp();
    }, everyMs).unref();
  }

  end(): void {
    clearInterval(this.#timer);
    if (this.#times > 0) this.#sumUp();
  }

  #sumUp(): void {
    const times = this.#times;
    this.#times = 0;
    this.#write({ ...this.#last, times });
  }
}
