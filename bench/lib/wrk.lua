-- Tells what wrk has measured as one line of JSON.
done = function(summary, latency, requests)
  local faults = summary.errors
  local failed = faults.connect + faults.read + faults.write + faults.status + faults.timeout
  io.write(string.format('JSON {"ops":%d,"failed":%d,"seconds":%.6f,"bytes":%d,"p50":%d,"p99":%d,"max":%d,"why":""}\n',
    summary.requests, failed, summary.duration / 1e6, summary.bytes, latency:percentile(50), latency:percentile(99),
    latency.max))
end
