-- The server by Lua 5.4 with luasocket and lua-cjson.
local http, ltn12, json = require "socket.http", require "ltn12", require "cjson"

local SPRING = "00000003-0000-4000-8000-000000000002"
local NOBODY = "00000001-0000-4000-8000-000000000063"

-- Send one request or an array of them: the answer, or nil where nothing comes back, and the HTTP status.
local function send(content, token)
  local body, reply = json.encode(content), {}
  local _, status = http.request {
    url = os.getenv "CORE_RPC_URL",
    method = "POST",
    headers = {
      ["Authorization"] = "Bearer " .. (token or os.getenv "CORE_RPC_TOKEN"),
      ["Content-Type"] = "application/json",
      ["Content-Length"] = #body,
    },
    source = ltn12.source.string(body),
    sink = ltn12.sink.table(reply),
  }
  local text = table.concat(reply)
  return text ~= "" and json.decode(text) or nil, status
end

local number = 0
local function call(method, params, id)
  number = number + 1
  return { jsonrpc = "2.0", method = method, params = params, id = id or number }
end

local function notification(method, params)
  return { jsonrpc = "2.0", method = method, params = params }
end

local function outcome(answer)
  return answer.error or answer.result
end

local function results(answers)
  local found = {}
  for place, answer in ipairs(answers) do
    found[place] = outcome(answer)
  end
  return found
end

-- A Lua table drops what is nil; for the test, null.
local function nothing(answer)
  return answer == nil and json.null or answer
end

local got = {
  ["result by position"] = outcome(send(call("core.LookupProgramInstance", { SPRING }))),
  ["result by name"] = outcome(send(call("core.LookupProgramInstance", { programId = SPRING }))),
  ["error by position"] = outcome(send(call("core.ListCohorts", { NOBODY }))),
  ["error by name"] = outcome(send(call("core.ListCohorts", { programId = NOBODY }))),
  ["notification by position"] = nothing(send(notification("core.CreateUser", { "position@example.org" }))),
  ["notification by name"] = nothing(send(notification("core.CreateUser", { email = "name@example.org" }))),
}

got["batch by position"] = results(send {
  call("core.ConfirmCohort", { SPRING, "By position" }),
  notification("core.CreateUser", { "batch-position@example.org" }),
  call("core.ListCohorts", { NOBODY }),
  call("core.ListCohorts", { SPRING }),
})

got["batch by name"] = results(send {
  call("core.ConfirmCohort", { programId = SPRING, cohortName = "By name" }),
  notification("core.CreateUser", { email = "batch-name@example.org" }),
  call("core.ListCohorts", { programId = NOBODY }),
  call("core.ListCohorts", { programId = SPRING }),
})

got["batch of notifications"] = nothing(send {
  notification("core.CreateUser", { "only-1@example.org" }),
  notification("core.CreateUser", { "only-2@example.org" }),
})

-- An empty table becomes `{}`, which is as good as `[]` where nothing is needed.
got["ids"] = {
  send(call("core.ListActivePrograms", {}, "order 1001/2")).id,
  send(call("core.ListActivePrograms", {}, 7)).id,
  send(call("core.ListActivePrograms", {}, json.null)).id,
}

local answer, status = send(call("core.ListActivePrograms", {}), "of-bad-news")
got["without a good token"] = { status = status, body = answer }

print(json.encode(got))
