import type { Endpoint } from '../../lib/network/endpoint.ts';
import type { AgentMessage, RelayMessage } from '../../tunnel/control-message.ts';
import type { Resolved } from '../ports.ts';

/** The agent has this long for an answer. */
const ANSWER_MS = 5_000;
/** Characters of the agent's reason that people see. */
const MAX_REASON_LENGTH = 300;
/** Questions without an answer on one tunnel, all sessions together and of one; the next is not asked. */
const MAX_OPEN = 256;
const MAX_OPEN_PER_SESSION = 32;

type Answer = Extract<AgentMessage, { type: 'resolved' }>;
type Question = Extract<RelayMessage, { type: 'resolve' }>;

const GONE: Resolved = { code: 'tunnel_closed', message: 'The agent is gone.' };

interface Open {
  readonly session: string;
  readonly settle: (resolved: Resolved) => void;
}

/** Names that the agent of one tunnel is asked to resolve, until it answers. */
export class Questions {
  readonly #open = new Map<number, Open>();
  #last = 0;
  #ended = false;

  /** `send` is called before this returns, or never. */
  ask(
    resource: string,
    { host, port }: Endpoint,
    session: string,
    send: (question: Question) => void,
  ): Promise<Resolved> {
    if (this.#ended) return Promise.resolve(GONE);
    if (this.#isFull(session))
      return Promise.resolve({
        code: 'too_many',
        message: 'Too many names are being resolved. Try again in a moment.',
      });
    const id = ++this.#last;
    return new Promise((resolve) => {
      const timer = setTimeout(
        () =>
          this.#settle(id, {
            code: 'timeout',
            message: `The agent did not resolve ${host} within ${ANSWER_MS / 1000} s.`,
          }),
        ANSWER_MS,
      );
      const settle = (resolved: Resolved) => {
        clearTimeout(timer);
        resolve(resolved);
      };
      this.#open.set(id, { session, settle });
      send({ type: 'resolve', id, resource, host, port });
    });
  }

  /** An answer that comes too late is nobody's. */
  take({ id, address, code = 'not_found', message = '' }: Answer): void {
    this.#settle(id, address === undefined ? { code, message: message.slice(0, MAX_REASON_LENGTH) } : { address });
  }

  /** The tunnel has ended. */
  end(): void {
    this.#ended = true;
    for (const id of this.#open.keys()) this.#settle(id, GONE);
  }

  #settle(id: number, resolved: Resolved): void {
    const open = this.#open.get(id);
    if (!this.#open.delete(id)) return;
    open?.settle(resolved);
  }

  #isFull(session: string): boolean {
    if (this.#open.size >= MAX_OPEN) return true;
    let own = 0;
    for (const open of this.#open.values()) if (open.session === session) own += 1;
    return own >= MAX_OPEN_PER_SESSION;
  }
}
