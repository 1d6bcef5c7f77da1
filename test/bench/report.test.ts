import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cell } from '../../bench/measure/cell.ts';
import { parseStat } from '../../bench/measure/cpu.ts';
import { parseWrk } from '../../bench/measure/wrk.ts';
import { parseOptions } from '../../bench/options.ts';
import { median, ratiosOf, summarise } from '../../bench/report.ts';
import type { RoundResult } from '../../bench/rounds.ts';
import { renderReport } from '../../bench/table.ts';

/** What wrk 4.1.0 printed with summary.lua, 64 connections on the bare target. */
const CLEAN = `Running 1s test @ http://127.0.0.1:46697/bench
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.36ms    3.52ms  63.91ms   97.06%
    Req/Sec    74.54k    24.40k   97.10k    90.00%
  Latency Distribution
     50%  681.00us
     75%    1.00ms
     90%    1.61ms
     99%   19.32ms
  73855 requests in 1.00s, 82.90MB read
Requests/sec:  73784.83
Transfer/sec:     82.82MB
wrk-summary {"durationUs":1000951,"requests":73855,"bytes":86927335,"p50Us":681,"p99Us":19315,"maxUs":63913,"errors":{"connect":0,"read":0,"write":0,"status":0,"timeout":0}}
`;

/** The same against a server that answers 503. */
const REFUSED = `Running 1s test @ http://127.0.0.1:18999/bench
  1 threads and 2 connections
  25406 requests in 1.10s, 3.39MB read
  Non-2xx or 3xx responses: 25406
Requests/sec:  23100.37
Transfer/sec:      3.08MB
wrk-summary {"durationUs":1099809,"requests":25406,"bytes":3556840,"p50Us":66,"p99Us":6921,"maxUs":20155,"errors":{"connect":0,"read":0,"write":0,"status":25406,"timeout":0}}
`;

describe('the output of wrk', () => {
  it('is read as numbers in fixed units', () => {
    const summary = parseWrk(CLEAN);
    assert.equal(summary.requests, 73_855);
    assert.equal(summary.durationUs, 1_000_951);
    assert.equal(summary.p50Us, 681);
    assert.equal(summary.p99Us, 19_315);
  });

  it('is refused when the run met errors, printed no summary, or counted nothing', () => {
    assert.throws(() => parseWrk(REFUSED), /25406 status/);
    assert.throws(() => parseWrk('unable to connect to 127.0.0.1:1 Connection refused\n'), /no summary/);
    assert.throws(() => parseWrk(CLEAN.replace('"requests":73855', '"requests":0')), /no answer/);
    assert.throws(() => parseWrk(CLEAN.replace('"p50Us":681', '"p50Us":null')), /unknown summary/);
  });
});

describe('CPU time', () => {
  it('is user and system time, own and of ended children, whatever the process is called', () => {
    const stat = '4242 (a) name (of 1 2) S 17 4242 4242 0 -1 4194560 900 0 0 0 150 50 7 3 20 0 11 0 12345 1000 200';
    assert.deepEqual(parseStat(stat), { parent: 17, us: 2_100_000 });
  });
});

describe('the report', () => {
  it('takes the middle value, and the mean of two', () => {
    assert.equal(median([9, 1, 5]), 5);
    assert.equal(median([4, 1, 2, 100]), 3);
    assert.throws(() => median([]), RangeError);
  });

  it('compares within a round, so that a machine that slows down changes no ratio', () => {
    const fast = { name: 'nginx', rounds: [round(1000), round(100), round(10)], peakBytes: {} } as const;
    const half = { name: 'postern', rounds: [round(500), round(50), round(5)], peakBytes: {} } as const;
    assert.deepEqual(ratiosOf(half, fast), {
      requestsPerSecondMany: 0.5,
      requestsPerSecondOne: 0.5,
      pagesPerSecond: 0.5,
      downloadMBps: 0.5,
    });
  });

  it('is one table with the ratios of Postern', () => {
    const rounds = [round(1000)];
    const report = summarise(
      [
        { name: 'nginx', rounds, peakBytes: { nginx: 7e6 } },
        { name: 'postern', rounds: [round(400)], peakBytes: { relay: 100e6, agent: 80e6 } },
      ],
      parseOptions([]),
      { cores: 2, cpu: 'a processor', memoryBytes: 8e9, system: 'Linux', loadBefore: 0.1, versions: { node: '26' } },
    );
    const text = renderReport(report);
    assert.match(text, /^Postern, PostgreSQL +400 /m);
    assert.match(text, / 100\+80$/m);
    assert.match(text, /^Postern, PostgreSQL : nginx +0\.40 +0\.40 +0\.40 +0\.40$/m);
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  });
});

describe('a busy machine', () => {
  it('is named in the report; a quiet one is not', () => {
    const machine = { cores: 2, cpu: 'a processor', memoryBytes: 8e9, system: 'Linux', loadBefore: 0, versions: {} };
    const reportOf = (foreignShare: number) =>
      renderReport(
        summarise(
          [{ name: 'nginx', rounds: [round(1), round(1, foreignShare)], peakBytes: {} }],
          parseOptions([]),
          machine,
        ),
      );
    assert.match(reportOf(0.4), /took up to 40 % of the machine/);
    assert.doesNotMatch(reportOf(0.04), /took up to/);
  });
});

describe('the options', () => {
  it('are whole numbers and known names', () => {
    assert.deepEqual(parseOptions(['--only', 'nginx,postern', '--seconds', '1']).only, ['nginx', 'postern']);
    assert.throws(() => parseOptions(['--only', 'apache']), /not "apache"/);
    assert.throws(() => parseOptions(['--seconds', '0']), /whole number/);
  });
});

/** A round in which every rate is `rate`. */
function round(rate: number, foreignShare = 0): RoundResult {
  const cell: Cell = {
    requestsPerSecond: rate,
    p50Us: 1e6 / rate,
    p99Us: 2e6 / rate,
    cpuUs: { own: 10 },
    ownCpuUs: 10,
    foreignShare,
  };
  return { one: cell, many: cell, page: cell, downloadMBps: rate };
}
