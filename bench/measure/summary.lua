-- Prints the run as one line of JSON: wrk's own text rounds to two digits and changes units.
-- It defines no request or response function, so that wrk keeps its fast path.
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'wrk-summary {"durationUs":%d,"requests":%d,"bytes":%d,"p50Us":%d,"p99Us":%d,"maxUs":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\n',
    summary.duration, summary.requests, summary.bytes,
    latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
