-- Asks for what the file says that is named, a line a request, over and again: a method, a path,
-- and an entity tag for If-None-Match where there is one. Ends with a line of JSON.
local asked, number = {}, 0
statuses = {}

function setup(thread)
   only = thread
end

function init(args)
   for line in io.lines(args[1]) do
      local method, path, tag = line:match("^(%S+) (%S+) ?(.*)$")
      asked[#asked + 1] = wrk.format(method, path, tag ~= "" and {["If-None-Match"] = tag} or {})
   end
   request = function()
      number = number % #asked + 1
      return asked[number]
   end
end

function response(status)
   local name = tostring(status)
   statuses[name] = (statuses[name] or 0) + 1
end

function done(summary, latency)
   local counts, errors = {}, summary.errors
   for name, count in pairs(only:get("statuses")) do
      counts[#counts + 1] = string.format('"%s": %d', name, count)
   end
   io.write(string.format(
      'result {"seconds": %f, "statuses": {%s}, "errors": ' ..
      '{"connect": %d, "read": %d, "write": %d, "timeout": %d}}\n',
      summary.duration / 1e6, table.concat(counts, ", "),
      errors.connect, errors.read, errors.write, errors.timeout))
end
