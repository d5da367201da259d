-- Prints what wrk measured as one line of JSON. Durations are in microseconds.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'report {"requests":%d,"bytes":%d,"duration":%d,"p50":%d,"p99":%d,"failed":%d,"refused":%d}\n',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
