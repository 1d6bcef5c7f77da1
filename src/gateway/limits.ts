import type { Rate } from '../lib/rate.ts';

/** Bounds of the data plane, each with what happens at the limit. */

/** Open connections to one port; the next is closed unread. Idle, each costs about 10 kB. */
export const MAX_CONNECTIONS = 16_384;
/** Of these, from one client address (IPv6: its /64). An office shares one address, and each browser opens six to a host. */
export const MAX_CONNECTIONS_PER_ADDRESS = 4_096;
/** Bytes of one request's header section; beyond it Node answers 431 and closes. */
export const MAX_HEADER_BYTES = 32 * 1024;
/** Header fields of one request; beyond it 431. */
export const MAX_HEADER_COUNT = 128;
/** Time for a client to send its header section; then 408 and close. */
export const CLIENT_HEADERS_MS = 20_000;
/** Time for a TLS handshake; then the connection is cut. */
export const TLS_HANDSHAKE_MS = 10_000;
/** Time for the body of a request to the relay's own host; then the connection is cut. */
export const CONTROL_BODY_MS = 30_000;
/** An idle keep-alive connection from a client is closed after this. */
export const CLIENT_KEEP_ALIVE_MS = 65_000;
/** A client that neither sends the body it promised nor reads what it asked for is cut after this (`timed_out`). Uploads have no total limit. */
const CLIENT_STALL_MS = 5 * 60_000;
/** After an answer that did not wait for the whole request body, the rest is discarded for this long, then the connection is cut. */
export const LINGER_MS = 2_000;

/** Streams to targets for one session and resource, WebSockets included; the next request waits, then 503. */
export const MAX_STREAMS_PER_SESSION = 64;
/** Streams to targets for one resource; the least recently used idle one goes first, then requests wait, then 503. */
export const MAX_STREAMS_PER_RESOURCE = 256;
/** Wait for a place among the streams; then 503. */
export const PLACE_WAIT_MS = 1_000;
/** Requests that may wait for a place at one resource; the next gets 503 at once. */
export const MAX_WAITING_PER_RESOURCE = 1_024;
/** A pooled stream without work ends after this. */
export const STREAM_IDLE_MS = 10_000;
/** A stream older than this takes no further request. */
export const STREAM_AGE_MS = 10 * 60_000;
/** Opening a stream, dialling included; then 504. */
export const STREAM_OPEN_MS = 10_000;

/** Bytes of a target's header section; beyond it 502. */
export const MAX_TARGET_HEADER_BYTES = 64 * 1024;

/** Interim answers (1xx) passed on for one request; the rest is dropped. */
export const MAX_INTERIM_ANSWERS = 16;

/** TCP connections to one resource; the next is refused. */
export const MAX_CONNECTIONS_PER_RESOURCE = 4_096;
/** Tunnels of command lines, all sessions together and of one session (each `ssh` has one); the next gets 503. */
export const MAX_CLIENT_TUNNELS = 4_096;
export const MAX_CLIENT_TUNNELS_PER_SESSION = 128;
/** The same of one person, over all sessions. */
export const MAX_CLIENT_TUNNELS_PER_PERSON = 512;
/** Streams of one person's client tunnels, each with up to 256 KiB that wait here unread; the next is reset. Half of what one resource takes. */
export const MAX_CLIENT_STREAMS_PER_PERSON = 2_048;
/** Time for the header of a stream that a command line opened; then the stream is reset. */
export const CONNECTION_HEADER_MS = 10_000;

/** Leased ports of one session; the next lease is refused. */
export const MAX_LEASES_PER_SESSION = 8;
/** Sockets at one leased port, strangers' included; the next is closed unread. */
export const MAX_LEASE_SOCKETS = 256;
/** Connections to a leased port begin within this time, then it closes. */
const LEASE_BEGIN_MS = 60_000;
/** A port rests before it is leased again: who comes late must not meet the next person's. */
const LEASE_REST_MS = 60_000;
/** Silence after which the other end of a leased port's connection is asked whether it is there (TCP keepalive). */
export const LEASE_KEEPALIVE_MS = 60_000;

/** Open accesses of one session over all resources; the next gets 429. */
export const MAX_LIVE_PER_SESSION = 2_048;
/** Requests of one signed-in person over all resources, where nothing else is configured; beyond it 429, summed in the log. */
const PERSON_RATE: Rate = personRate(1_000);
/** How often requests beyond the rate are summed up in the log, by person; of more than `MAX_THROTTLED` persons the rest is one sum. */
export const THROTTLED_FLUSH_MS = 60_000;
export const MAX_THROTTLED = 1_000;

/** Requests under rules for `anyone`, by the client's address (IPv6: its /64); beyond it 429. */
const ANONYMOUS_RATE: Rate = { perSecond: 20, burst: 200 };
/** The same over all addresses, since each request is two records; beyond it 429. */
const ANONYMOUS_RATE_OF_ALL: Rate = { perSecond: 500, burst: 2_000 };
/** Streams under rules for `anyone` at one resource, so that people find places too; strangers do not wait, the next gets 503. */
export const MAX_ANONYMOUS_PER_RESOURCE = 128;

/** How often what is open is looked at for expired sessions and stalled clients. */
const SWEEP_MS = 1_000;
/** Times an access is sent again on a fresh stream, or decided again in the gap, before it is given up with 503. */
export const MAX_ATTEMPTS = 3;
/** Query parameters recorded one by one; the rest is recorded as one keyed hash. */
export const MAX_RECORDED_PARAMETERS = 64;
/** A WebSocket whose authority has ended is told why, and the client has this long to read it; then it is cut. */
export const FAREWELL_MS = 500;
/** A WebSocket of which one side has ended waits this long for the other, then both are cut. */
const HALF_CLOSED_MS = 30_000;

/** Pages that load at once and programs that catch up may take ten seconds' worth. */
export function personRate(perSecond: number): Rate {
  return { perSecond, burst: perSecond * 10 };
}

/** The bounds that tests make short. */
export interface Bounds {
  readonly clientStallMs: number;
  readonly halfClosedMs: number;
  readonly sweepMs: number;
  readonly leaseBeginMs: number;
  readonly leaseRestMs: number;
  readonly personRate: Rate;
  readonly anonymousRate: Rate;
  readonly anonymousRateOfAll: Rate;
}

export const BOUNDS: Bounds = {
  clientStallMs: CLIENT_STALL_MS,
  halfClosedMs: HALF_CLOSED_MS,
  sweepMs: SWEEP_MS,
  leaseBeginMs: LEASE_BEGIN_MS,
  leaseRestMs: LEASE_REST_MS,
  personRate: PERSON_RATE,
  anonymousRate: ANONYMOUS_RATE,
  anonymousRateOfAll: ANONYMOUS_RATE_OF_ALL,
};
