-- What a script may see. Run in a fresh Lua 5.4 with the source of core.lua and helpers.lua and four
-- functions of the host, each of texts and numbers only; gives the function that runs a script.

local core_source, helpers_source, params_json, seed, post, write, sleep, finish = ...
local open, pairs, tostring, pcall, type, select = load, pairs, tostring, pcall, type, select
local concat = table.concat

for _, name in ipairs({
  "os", "io", "package", "debug", "python", "loadfile", "dofile", "collectgarbage", "loadstring", "warn", "require",
}) do
  _G[name] = nil
end
string.dump = nil

-- Text only: bytecode can be made to read and write any memory.
function load(chunk, name, _, ...)
  if type(chunk) == "function" then
    local parts = {}
    for part in chunk do
      if part == "" then break end
      parts[#parts + 1] = part
    end
    chunk = concat(parts)
  end
  if select("#", ...) == 0 then return open(chunk, name, "t") end
  return open(chunk, name, "t", (...))
end

function print(...)
  local texts = {}
  for index = 1, select("#", ...) do texts[index] = tostring((select(index, ...))) end
  write(concat(texts, "\t") .. "\n")
end

local core = open(core_source, "@core.lua", "t")()
core.configure({
  url = "http://the.server/rpc", -- where that is only the host knows, and what the token is
  token = "",
  seed = seed,
  sleep = function(seconds) sleep(seconds) end, -- closures only: nothing of the host is in a script's hands
  http = function(request)
    local status, retry_after, request_id, body = post(request.body)
    if not status then return nil, retry_after end
    return { status = status, headers = { ["retry-after"] = retry_after, ["x-request-id"] = request_id }, body = body }
  end,
})

local loaded = { core = core }
function require(name)
  if loaded[name] == nil then error("there is no module " .. tostring(name) .. " here", 2) end
  return loaded[name]
end

local helpers = open(helpers_source, "@helpers.lua", "t")()
helpers.params = core.decode(params_json) or {}
loaded.helpers = helpers

local encode = core.encode -- a script may put others in its place

return function(source, name)
  local chunk, wrong = open(source, name, "t")
  if not chunk then return finish(false, wrong) end
  local fine, value = pcall(chunk)
  if not fine then
    local told, text = pcall(tostring, value)
    return finish(false, told and text or "the error cannot be told")
  end
  if value == nil then return finish(true, "") end
  local written, text = pcall(encode, value)
  return finish(written, text)
end
