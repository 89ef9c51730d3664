-- For wrk: asks in turn for each of the hosts and paths in a file, a line "HOST PATH" for each; reports as report.lua.
dofile(debug.getinfo(1, "S").source:match("@(.*/)") .. "report.lua")

local requests, at = {}, 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local host, path = line:match("^(%S+) (%S+)$")
    requests[#requests + 1] = wrk.format("GET", path, {["Host"] = host})
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
