-- Posts the lines of a file in turn, over and over, and prints what came of it as one line of JSON.
-- Arguments: the file, the token, the id that stands for fresh ones, eight digits to make those of.

local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. args[2] }
  requests, sent, wrong = {}, -1, 0  -- wrk asks for one request that it does not send
  marker, prefix, made = string.gsub(args[3], "-", "%%-"), args[4], 0
  for line in io.lines(args[1]) do
    table.insert(requests, wrk.format("POST", nil, headers, line))
    needs_ids = needs_ids or string.find(line, args[3], 1, true)
  end
end

local function fresh_id()
  made = made + 1
  return prefix .. string.format("-0000-4000-8000-%012x", made)
end

function request()
  local request = requests[sent % #requests + 1]
  sent = sent + 1
  return needs_ids and string.gsub(request, marker, fresh_id) or request
end

function response(status, headers, body)
  if status ~= 200 or string.find(body, '"error"', 1, true) then
    wrong = wrong + 1
  end
end

function done(summary, latency, _)
  local wrong = 0
  for _, thread in ipairs(threads) do
    wrong = wrong + thread:get("wrong")
  end
  local e = summary.errors
  print(string.format(
    '{"requests":%d,"micros":%d,"mean":%f,"p50":%f,"p99":%f,"wrong":%d}',
    summary.requests, summary.duration, latency.mean, latency:percentile(50), latency:percentile(99),
    wrong + e.connect + e.read + e.write + e.timeout
  ))
end
