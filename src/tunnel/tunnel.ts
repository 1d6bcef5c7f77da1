import { messageOf, PosternError } from '../lib/errors.ts';
import { Register } from '../lib/register.ts';
import { ALL_FLAGS, Flag, FrameDecoder, type FrameSink, FrameType, GoAwayCode } from './frame.ts';
import { Heartbeat } from './heartbeat.ts';
import { OutgoingFrames } from './outgoing.ts';
import { release } from './read-memory.ts';
import { type StreamPort, TunnelStream } from './stream.ts';
import type { MessageTransport, TransportReceiver } from './transport.ts';
import { closeCodeOf, endCodeOf, goAwayCodeOf, type TunnelEnd, type TunnelEndCode } from './tunnel-end.ts';
import { processBudget, TUNNEL_BUDGET_BYTES, TUNNEL_SHARE_BYTES, WindowBudget } from './window.ts';

/** Live streams of a tunnel. Beyond it a stream of the peer is reset and `open` throws `limit_reached`. */
export const MAX_STREAMS = 1024;
/** Streams reset at opening, in a row, before the peer counts as flooding and the tunnel closes. */
const MAX_REFUSED_IN_A_ROW = 1024;
/** At most this much waits in the transport; then streams wait, and their writers with them. */
const MAX_TRANSPORT_BYTES = 1024 * 1024;
/** Most payload in one frame: how long one stream keeps the others waiting. */
const TURN_BYTES = 64 * 1024;

export interface TunnelOptions {
  /** The dialling side opens odd stream ids, the relay even ones. */
  readonly side: 'dialler' | 'relay';
  readonly heartbeatMs: number;
  /** Takes a stream that the peer opened; without it, and when it returns false, the stream is reset. */
  readonly accept?: (stream: TunnelStream) => boolean;
}

/** One yamux session over a message transport. Whatever the peer breaks ends this tunnel and nothing else. */
export class Tunnel {
  readonly #transport: MessageTransport;
  readonly #accept: ((stream: TunnelStream) => boolean) | undefined;
  readonly #decoder: FrameDecoder;
  readonly #heartbeat: Heartbeat;
  readonly #outgoing = new OutgoingFrames();
  readonly #budget = new WindowBudget(TUNNEL_BUDGET_BYTES, processBudget, TUNNEL_SHARE_BYTES);
  readonly #streams = new Register<number, TunnelStream>();
  readonly #ended = new AbortController();
  readonly #port: StreamPort;
  #ready: TunnelStream[] = [];
  #receiving: TunnelStream | undefined;
  #receivingLeft = 0;
  #receivingFin = false;
  #flushDue = false;
  #nextId: number;
  readonly #peerParity: number;
  #lastPeerId = 0;
  #refusedInARow = 0;
  #peerGoingAway = false;
  #end: TunnelEnd | undefined;

  constructor(transport: MessageTransport, options: TunnelOptions) {
    this.#transport = transport;
    this.#accept = options.accept;
    this.#nextId = options.side === 'dialler' ? 1 : 2;
    this.#peerParity = options.side === 'dialler' ? 0 : 1;
    const sink: FrameSink = {
      frame: (version, type, flags, id, length) => this.#frame(version, type, flags, id, length),
      payload: (chunk) => this.#payload(chunk),
    };
    this.#decoder = new FrameDecoder(sink);
    this.#heartbeat = new Heartbeat(options.heartbeatMs, {
      ping: (value) => this.#control(FrameType.ping, Flag.syn, 0, value),
      lost: () => this.close('heartbeat_missed', 'The other end was silent for two heartbeats.'),
    });
    const heartbeat = this.#heartbeat;
    this.#port = {
      get roundTripMs() {
        return heartbeat.roundTripMs;
      },
      ready: (stream) => {
        this.#ready.push(stream);
        this.#flushSoon();
      },
      control: (type, flags, id, length) => this.#control(type, flags, id, length),
      closed: (stream) => this.#streams.delete(stream.streamId),
    };
    const receiver: TransportReceiver = {
      message: (data) => {
        this.#heartbeat.heard();
        this.#decoder.decode(data);
      },
      drained: () => {
        if (this.#ready.length > 0 || this.#outgoing.bytes > 0) this.#flush();
      },
      closed: (code, reason) => {
        const by = code === 1006 ? 'network' : 'peer';
        this.#finish({ code: endCodeOf(code), reason: reason || 'The connection was lost.', by });
      },
    };
    this.#heartbeat.start();
    transport.receiver = receiver;
  }

  /** Fires once; its reason is a PosternError `tunnel_closed` whose cause is `end`. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Undefined while the tunnel lives. */
  get end(): TunnelEnd | undefined {
    return this.#end;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  get roundTripMs(): number {
    return this.#heartbeat.roundTripMs;
  }

  /** A heartbeat is overdue: prefer another tunnel. */
  get suspect(): boolean {
    return this.#heartbeat.suspect;
  }

  /** The peer takes no new streams: use another tunnel. */
  get leaving(): boolean {
    return this.#peerGoingAway;
  }

  /** True when `open` would throw. */
  get full(): boolean {
    return this.#streams.size >= MAX_STREAMS || !this.#budget.admits;
  }

  /** Data may be written at once. Throws `tunnel_closed` or `limit_reached`. */
  open(): TunnelStream {
    if (this.#end || this.#peerGoingAway) throw new PosternError('tunnel_closed', 'The tunnel takes no new streams.');
    if (this.full) throw new PosternError('limit_reached', 'The tunnel carries as many streams as it may.');
    if (this.#nextId > 0xffff_fffd) throw new PosternError('tunnel_closed', 'The tunnel has used up its stream ids.');
    const stream = new TunnelStream(this.#nextId, this.#port, this.#budget, true);
    this.#streams.set(this.#nextId, stream);
    this.#nextId += 2;
    return stream;
  }

  /** Asks the peer to open no new streams; what is open lives on. */
  leave(): void {
    if (!this.#end) this.#control(FrameType.goAway, 0, 0, GoAwayCode.normal);
  }

  /** Ends the tunnel now: streams that are not complete fail with `tunnel_closed`, the peer gets the code and the reason. */
  close(code: TunnelEndCode, reason: string): void {
    if (this.#end) return;
    const { taken } = this.#outgoing.drain();
    this.#outgoing.control(FrameType.goAway, 0, 0, goAwayCodeOf(code));
    this.#outgoing.startTick();
    this.#transport.send(this.#outgoing.drain().pieces);
    this.#finish({ code, reason, by: 'us' });
    for (const each of taken) each(this.#ended.signal.reason as Error);
    this.#transport.close(closeCodeOf(code), reason);
  }

  #finish(end: TunnelEnd): void {
    if (this.#end) return;
    this.#end = end;
    this.#heartbeat.stop();
    const text = `The tunnel closed (${end.code}): ${end.reason}`;
    const error = new PosternError('tunnel_closed', text, { cause: end });
    for (const stream of this.#streams.list()) {
      if (!stream.complete) stream.destroy(error);
    }
    this.#streams.clear();
    this.#ready = [];
    this.#ended.abort(error);
  }

  #violation(what: string): false {
    this.close('protocol_violation', what);
    return false;
  }

  // ——— receiving ———

  #frame(version: number, type: number, flags: number, id: number, length: number): boolean {
    if (this.#end) return false;
    if (version !== 0) return this.#violation(`Unknown protocol version ${version}.`);
    if (flags > ALL_FLAGS) return this.#violation('Unknown flags.');
    switch (type) {
      case FrameType.data:
      case FrameType.windowUpdate:
        return this.#streamFrame(type, flags, id, length);
      case FrameType.ping:
        if (id !== 0) return this.#violation('A ping names a stream.');
        if (flags === Flag.syn) this.#control(FrameType.ping, Flag.ack, 0, length);
        else if (flags === Flag.ack) this.#heartbeat.answered(length);
        else return this.#violation('A ping is neither question nor answer.');
        return true;
      case FrameType.goAway:
        if (id !== 0) return this.#violation('A go-away names a stream.');
        this.#peerGoingAway = true;
        if (length !== GoAwayCode.normal) {
          const code = length === GoAwayCode.protocolError ? 'protocol_violation' : 'internal_error';
          this.#finish({ code, reason: 'The other end gave up on the tunnel.', by: 'peer' });
          this.#transport.close(closeCodeOf('normal'), '');
          return false;
        }
        return true;
      default:
        return this.#violation(`Unknown frame type ${type}.`);
    }
  }

  #streamFrame(type: number, flags: number, id: number, length: number): boolean {
    const stream = (flags & Flag.syn) === 0 ? this.#streams.get(id) : this.#accepted(id);
    if (this.#end) return false;
    const data = type === FrameType.data;
    if (!stream) {
      // A stream that we have reset may still have frames on the way; one that never was, cannot.
      const known = id % 2 === this.#peerParity ? id <= this.#lastPeerId : id < this.#nextId;
      if (id === 0 || !known) return this.#violation(`A frame for stream ${id}, which was never opened.`);
      this.#receiving = undefined;
      this.#receivingLeft = data ? length : 0;
      return true;
    }
    if ((flags & Flag.rst) !== 0) {
      stream.receiveReset();
      this.#receiving = undefined;
      this.#receivingLeft = data ? length : 0;
      return true;
    }
    const fin = (flags & Flag.fin) !== 0;
    if (!data) {
      if (!stream.receiveCredit(length)) return this.#violation(`The window of stream ${id} overflows.`);
      if (fin) stream.receiveFin();
      return true;
    }
    if (!stream.admit(length)) return this.#violation(`Stream ${id} got more data than its window allows.`);
    this.#receiving = stream;
    this.#receivingLeft = length;
    this.#receivingFin = fin;
    if (length === 0 && fin) stream.receiveFin();
    return true;
  }

  #payload(chunk: Buffer): boolean {
    if (this.#end) return false;
    this.#receivingLeft -= chunk.length;
    const stream = this.#receiving;
    if (stream) {
      stream.receive(chunk);
      if (this.#receivingLeft === 0 && this.#receivingFin) stream.receiveFin();
    } else {
      release(chunk);
    }
    return this.#end === undefined;
  }

  /** Undefined: refused, or a violation that has closed the tunnel. */
  #accepted(id: number): TunnelStream | undefined {
    if (id === 0 || id % 2 !== this.#peerParity) {
      this.#violation(`Stream id ${id} is not the peer's to open.`);
      return undefined;
    }
    if (id <= this.#lastPeerId) {
      this.#violation(`Stream id ${id} was used before.`);
      return undefined;
    }
    this.#lastPeerId = id;
    if (this.#accept && !this.full) {
      const stream = new TunnelStream(id, this.#port, this.#budget, false);
      this.#streams.set(id, stream);
      this.#control(FrameType.windowUpdate, Flag.ack, id, 0);
      if (this.#accept(stream)) {
        this.#refusedInARow = 0;
        return stream;
      }
      stream.destroy();
    } else {
      this.#control(FrameType.windowUpdate, Flag.rst, id, 0);
    }
    this.#refusedInARow += 1;
    if (this.#refusedInARow > MAX_REFUSED_IN_A_ROW) this.#violation('A flood of streams that were all refused.');
    return undefined;
  }

  // ——— sending ———

  #control(type: number, flags: number, id: number, length: number): void {
    if (this.#end) return;
    if (!this.#outgoing.control(type, flags, id, length)) {
      this.close('protocol_violation', 'More control frames wait than a well-behaved peer causes.');
      return;
    }
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#flushDue || this.#end) return;
    this.#flushDue = true;
    setImmediate(() => {
      this.#flushDue = false;
      try {
        this.#flush();
      } catch (error) {
        this.close('internal_error', messageOf(error));
      }
    });
  }

  #flush(): void {
    if (this.#end) return;
    const room = MAX_TRANSPORT_BYTES - this.#transport.waitingBytes;
    if (room <= 0) return;
    this.#outgoing.startTick();
    while (this.#outgoing.bytes < room) {
      // Rounds: whoever becomes ready during one has its turn in the next.
      const turn = this.#ready;
      if (turn.length === 0) break;
      this.#ready = [];
      let at = 0;
      for (; at < turn.length && this.#outgoing.bytes < room; at += 1) {
        const stream = turn[at];
        if (stream?.takeTurn(this.#outgoing, TURN_BYTES)) this.#ready.push(stream);
      }
      if (at < turn.length) this.#ready = turn.slice(at).concat(this.#ready);
    }
    if (this.#outgoing.bytes > 0) this.#send();
    if (this.#ready.length > 0 && this.#transport.waitingBytes < MAX_TRANSPORT_BYTES) this.#flushSoon();
  }

  #send(): void {
    const { pieces, taken } = this.#outgoing.drain();
    if (taken.length === 0) return this.#transport.send(pieces);
    this.#transport.send(pieces, (error) => {
      for (const each of taken) each(error);
    });
  }
}
