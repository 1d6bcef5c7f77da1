import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import type { AuditEvent } from '../../src/domain/audit-event.ts';
import type { PublicJwk } from '../../src/domain/public-jwk.ts';
import type { Resource } from '../../src/domain/resource.ts';
import { type AgentTunnels, createAgentTunnels } from '../../src/gateway/tunnel/agent-tunnels.ts';
import type { AnnouncementJudge } from '../../src/gateway/tunnel/announcement.ts';
import { sortableId } from '../../src/lib/id.ts';
import { signToken, type TokenContent, unverifiedSubject, verifyToken } from '../../src/token/jwt.ts';
import { generateSigningKey, publicJwkOf, publicKeyFromJwk, type SigningKey, thumbprint } from '../../src/token/key.ts';
import { resource } from '../domain/resource.ts';
import { freePort } from '../e2e/free-port.ts';

export const silent = pino({ level: 'silent' });
/** What a test waits for comes much sooner, or never. */
const LIMIT_MS = 15_000;

export interface SmallRelayOptions {
  readonly judge?: AnnouncementJudge;
  readonly id?: string;
  readonly heartbeatMs?: number;
  readonly port?: number;
  readonly key?: SigningKey;
  readonly agentKeys?: Map<string, PublicJwk>;
  readonly credentialLifeSeconds?: number;
}

/** The relay's end of agents' tunnels as it is, behind a plain HTTP server with enrollment and credentials in memory. */
export class SmallRelay {
  readonly key: SigningKey;
  readonly agentKeys: Map<string, PublicJwk>;
  readonly tokens = new Map<string, string>();
  readonly events: AuditEvent[] = [];
  readonly strangers: string[] = [];
  readonly revoked = new Set<string>();
  readonly drained = new Set<string>();
  readonly scope: string[] = [];
  credentialLifeSeconds: number;
  renewals = 0;
  credentialsAsked = 0;
  /** Enrollments that it cannot serve before it can. */
  enrollmentsInTrouble = 0;
  readonly tunnels: AgentTunnels;
  readonly server: Server;
  readonly origin: string;

  private constructor(server: Server, options: SmallRelayOptions) {
    this.key = options.key ?? generateSigningKey();
    this.agentKeys = options.agentKeys ?? new Map();
    this.credentialLifeSeconds = options.credentialLifeSeconds ?? 600;
    this.server = server;
    this.origin = `http://postern.localhost:${this.port}`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    this.tunnels = createAgentTunnels({
      relayId: options.id ?? 'relay-1',
      relayOrigin: this.origin,
      heartbeatMs: options.heartbeatMs ?? 60_000,
      credentials: {
        verify: (jwt) => this.#verify(jwt),
        isRevoked: (agent) => this.revoked.has(agent),
        isDrained: (agent) => this.drained.has(agent),
        renew: async (agent, keyThumbprint) => {
          this.renewals += 1;
          return this.credential(agent, keyThumbprint);
        },
      },
      judgeAnnouncement: options.judge ?? (() => []),
      audit: {
        append: async (event) => {
          this.events.push(event);
          return { id: event.id, log: 'test', index: this.events.length, leafHash: '0'.repeat(64) };
        },
      },
      strangers: { refused: (reason) => this.strangers.push(reason) },
      log: silent,
      clock: Date.now,
    });
    this.server.on('upgrade', (request, socket, head) => this.tunnels.handleUpgrade(request, socket, head));
  }

  /** Stops with the test, however that ends. */
  static async start(t: TestContext, options: SmallRelayOptions = {}): Promise<SmallRelay> {
    const server = createServer();
    // Tests start it again at its port, which agents dial meanwhile.
    const port = options.port ?? (await freePort());
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    const relay = new SmallRelay(server, options);
    t.after(() => relay.stop());
    return relay;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Resolves when an audit event of that kind is there, the `count`th. */
  event(kind: AuditEvent['kind'], count = 1): Promise<void> {
    return this.until(() => this.events.filter((event) => event.kind === kind).length >= count);
  }

  /** Looks again after each event and each turn of the loop. */
  async until(holds: () => boolean, limitMs = LIMIT_MS): Promise<void> {
    const limit = Date.now() + limitMs;
    while (!holds()) {
      if (Date.now() > limit) throw new Error(`It did not come to be: ${holds.toString()}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  async credential(agent: string, keyThumbprint: string): Promise<{ credential: string; expiresAt: number }> {
    const now = Date.now();
    const credential = await this.sign({
      type: 'postern-device+jwt',
      issuer: this.origin,
      audience: this.origin,
      subject: agent,
      lifeSeconds: this.credentialLifeSeconds,
      claims: { cnf: { jkt: keyThumbprint } },
    });
    return { credential, expiresAt: now + this.credentialLifeSeconds * 1000 };
  }

  sign(content: TokenContent, key = this.key): Promise<string> {
    return signToken(key, content, sortableId(), Date.now());
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    await this.tunnels.close();
    this.server.closeAllConnections();
    await closed;
  }

  async #verify(jwt: string) {
    const claims = await verifyToken(jwt, {
      type: 'postern-device+jwt',
      issuer: this.origin,
      audience: this.origin,
      findKey: (kid) => (kid === this.key.kid ? this.key.publicKey : undefined),
      maxAgeSeconds: 600,
      toleranceSeconds: 1,
      nowMs: Date.now(),
    });
    const { jkt } = claims['cnf'] as { jkt: string };
    return { agent: claims.sub, keyThumbprint: jkt, jti: claims.jti, expiresAt: claims.exp * 1000, scope: this.scope };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await json(request)) as Record<string, string> & { publicKey: PublicJwk };
    if (request.url === '/api/v1/agents/enroll') {
      if (this.enrollmentsInTrouble > 0) {
        this.enrollmentsInTrouble -= 1;
        return send(response, 503, { title: 'unavailable' });
      }
      const token = body['token'] ?? '';
      if (this.tokens.get(token) !== body['name']) return send(response, 403, { title: 'refused' });
      this.tokens.delete(token);
      this.agentKeys.set(body['name'] ?? '', body.publicKey);
      const keys = [{ ...publicJwkOf(this.key.publicKey), kid: this.key.kid }];
      return send(response, 200, { agent: body['name'], relayKeys: { keys } });
    }
    const assertion = body['assertion'] ?? '';
    this.credentialsAsked += 1;
    const agent = unverifiedSubject(assertion) ?? '';
    const jwk = this.agentKeys.get(agent);
    if (jwk) {
      try {
        await verifyToken(assertion, {
          type: 'postern-client-assertion+jwt',
          issuer: agent,
          audience: this.origin,
          findKey: (kid) => (kid === thumbprint(jwk) ? publicKeyFromJwk(jwk) : undefined),
          maxAgeSeconds: 60,
          toleranceSeconds: 60,
          nowMs: Date.now(),
        });
        return send(response, 200, await this.credential(agent, thumbprint(jwk)));
      } catch {}
    }
    send(response, 401, { code: 'credential_refused', now: Date.now() });
  }
}

export function resourceOf(name: string, agents: readonly string[]): Resource {
  return resource(name, { agents });
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
