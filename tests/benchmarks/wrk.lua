-- Asks for the paths in the file that is named, in their order and over again, or without one for
-- the URL alone. Ends with a line of JSON, which wrk.py reads.
local asked, number = {}, 0

function init(args)
   if not args[1] then
      return
   end
   for path in io.lines(args[1]) do
      asked[#asked + 1] = wrk.format("GET", path)
   end
   request = function()
      number = number % #asked + 1
      return asked[number]
   end
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      'result {"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "p999": %f, "errors": ' ..
      '{"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}}\n',
      summary.requests, summary.duration / 1e6,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3,
      errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
