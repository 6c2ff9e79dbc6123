--- The functions of a core-rpc server, for Lua 5.1 to 5.4 and LuaJIT.
--
--   local core = require "core"
--   local tickets = core.UserTickets({ userId = id })
--
-- Any name is a function of the server; core.admin has those of admin.*. Null is nil, both ways.
-- README.md beside this file says the rest.

local core = { admin = {} }
local settings = {}
local open_batch -- the calls of the batch being written, or nil

local BATCH_CALLS = 1000
local BATCH_BYTES = 1000000
local BATCH_VALUES = 19000 -- the server takes 20,000 JSON values in a request
local ATTEMPTS = 4
local FIRST_WAIT = 0.2 -- seconds; doubled each time
local LONGEST_WAIT = 30
local CALL_VALUES = 12 -- more than what surrounds a call's parameters

local floor, format, byte, char, concat = math.floor, string.format, string.byte, string.char, table.concat
local to_integer = math.tointeger or function(number) return number end

-- JSON, for when no other is given and lua-cjson is not there

local null = setmetatable({}, { __tostring = function() return "null" end })
local array_mt = { __name = "array" }

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }
local function escape(text)
  return ESCAPES[text] or format("\\u%04x", byte(text))
end

local DEEPEST = 100

local function is_list(value)
  local count = #value
  if count == 0 then return false end
  for key in pairs(value) do
    if type(key) ~= "number" or key < 1 or key > count or key ~= floor(key) then return false end
  end
  return true
end

local encode
local function encode_table(value, depth)
  if depth > DEEPEST then error("a table is nested too deeply, or holds itself", 0) end
  local parts = {}
  if getmetatable(value) == array_mt or is_list(value) then
    for index = 1, #value do parts[index] = encode(value[index], depth + 1) end
    return "[" .. concat(parts, ",") .. "]"
  end
  for key, member in pairs(value) do
    if type(key) ~= "string" and type(key) ~= "number" then
      error("a " .. type(key) .. " cannot be the name of a member", 0)
    end
    parts[#parts + 1] = encode(tostring(key), depth + 1) .. ":" .. encode(member, depth + 1)
  end
  return "{" .. concat(parts, ",") .. "}"
end

function encode(value, depth)
  local kind = type(value)
  if value == null or kind == "nil" then return "null" end
  if kind == "string" then return '"' .. value:gsub('[%c"\\]', escape) .. '"' end
  if kind == "boolean" then return tostring(value) end
  if kind == "table" then return encode_table(value, depth or 1) end
  if kind ~= "number" then error("a " .. kind .. " cannot be sent", 0) end
  if value ~= value or value == math.huge or value == -math.huge then
    error("a number that is not finite cannot be sent", 0)
  end
  if math.type and math.type(value) == "integer" then return format("%d", value) end
  if value == floor(value) and value > -2 ^ 53 and value < 2 ^ 53 then return format("%.0f", value) end
  return (format("%.17g", value):gsub(",", "."))
end

local function utf8_of(code)
  if code < 0x80 then return char(code) end
  if code < 0x800 then return char(0xC0 + floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then
    return char(0xE0 + floor(code / 4096), 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
  end
  return char(
    0xF0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64, 0x80 + floor(code / 64) % 64, 0x80 + code % 64
  )
end

local PLAIN = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }
local WORDS = { ["true"] = true, ["false"] = false, ["null"] = null }

local function not_json(at)
  error("not JSON at character " .. at, 0)
end

local function decode_text(text, at)
  local parts = {}
  at = at + 1
  while true do
    local stop = text:find('["\\%c]', at) or not_json(at)
    parts[#parts + 1] = text:sub(at, stop - 1)
    local found = text:sub(stop, stop)
    if found == '"' then return concat(parts), stop + 1 end
    if found ~= "\\" then
      if byte(found) ~= 127 then not_json(stop) end
      parts[#parts + 1], at = found, stop + 1
    else
      local letter = text:sub(stop + 1, stop + 1)
      if letter == "u" then
        local code = tonumber(text:match("^%x%x%x%x", stop + 2) or not_json(stop), 16)
        at = stop + 6
        if code >= 0xD800 and code < 0xDC00 then
          local low = tonumber(text:match("^\\u([dD][c-fC-F]%x%x)", at) or not_json(stop), 16)
          code, at = 0x10000 + (code - 0xD800) * 1024 + (low - 0xDC00), at + 6
        end
        parts[#parts + 1] = utf8_of(code)
      else
        parts[#parts + 1], at = PLAIN[letter] or not_json(stop), stop + 2
      end
    end
  end
end

local function past_blanks(text, at)
  return text:find("[^ \t\r\n]", at) or #text + 1
end

local decode_value
local function decode_list(text, at, depth)
  local list = setmetatable({}, array_mt)
  at = past_blanks(text, at + 1)
  if text:sub(at, at) == "]" then return list, at + 1 end
  while true do
    list[#list + 1], at = decode_value(text, at, depth)
    at = past_blanks(text, at)
    local found = text:sub(at, at)
    if found == "]" then return list, at + 1 end
    if found ~= "," then not_json(at) end
    at = past_blanks(text, at + 1)
  end
end

local function decode_object(text, at, depth)
  local object = {}
  at = past_blanks(text, at + 1)
  if text:sub(at, at) == "}" then return object, at + 1 end
  while true do
    if text:sub(at, at) ~= '"' then not_json(at) end
    local name
    name, at = decode_text(text, at)
    at = past_blanks(text, at)
    if text:sub(at, at) ~= ":" then not_json(at) end
    object[name], at = decode_value(text, past_blanks(text, at + 1), depth)
    at = past_blanks(text, at)
    local found = text:sub(at, at)
    if found == "}" then return object, at + 1 end
    if found ~= "," then not_json(at) end
    at = past_blanks(text, at + 1)
  end
end

function decode_value(text, at, depth)
  if depth > DEEPEST then not_json(at) end
  local found = text:sub(at, at)
  if found == '"' then return decode_text(text, at) end
  if found == "{" then return decode_object(text, at, depth + 1) end
  if found == "[" then return decode_list(text, at, depth + 1) end
  local word = text:match("^%a+", at)
  if word then
    local value = WORDS[word]
    if value == nil then not_json(at) end
    return value, at + #word
  end
  local number = text:match("^-?%d+%.?%d*[eE]?[+-]?%d*", at) or not_json(at)
  return tonumber(number) or not_json(at), at + #number
end

local own_json = {
  null = null,
  array_mt = array_mt,
  encode = function(value) return encode(value, 1) end,
  decode = function(text)
    local value, at = decode_value(text, past_blanks(text, 1), 1)
    at = past_blanks(text, at)
    if at <= #text then not_json(at) end
    return value
  end,
}

--- lua-cjson as we need it: an instance of its own that tells [] from {}.
local function settled(json)
  if json.new and json.array_mt and json.decode_array_with_array_mt then
    local ours = json.new()
    ours.decode_array_with_array_mt(true)
    ours.encode_number_precision(16)
    return { null = json.null, array_mt = json.array_mt, encode = ours.encode, decode = ours.decode }
  end
  return json
end

local function json()
  if not settings.json then
    local found, cjson = false, nil
    if require then found, cjson = pcall(require, "cjson") end
    settings.json = found and settled(cjson) or own_json
    if not settings.json.array_mt then settings.json = own_json end -- an old lua-cjson
  end
  return settings.json
end

--- What stands for null where nil cannot: inside a list.
core.null = null

--- A value as JSON decodes it, with nil for null; in a list it stays core.null, so that nothing moves.
local function received(value)
  local codec = json()
  if type(value) == "number" then return to_integer(value) or value end
  if type(value) ~= "table" or value == codec.null then return value end
  if is_list(value) or (codec.array_mt and getmetatable(value) == codec.array_mt) then
    for index = 1, #value do
      local item = value[index]
      value[index] = item == codec.null and null or received(item)
    end
    return codec.array_mt and setmetatable(value, codec.array_mt) or value
  end
  local clean = {}
  for name, member in pairs(value) do
    if member ~= codec.null then clean[name] = received(member) end
  end
  return clean
end

local function is_marked(value)
  local mark = json().array_mt
  return mark ~= nil and getmetatable(value) == mark
end

--- A copy of a value that the codec can write, and how many JSON values are in it.
local function sendable(value, depth, empty_is_list)
  local codec = json()
  if value == null or value == codec.null then return codec.null, 1 end
  if type(value) ~= "table" then return value, 1 end
  if depth > DEEPEST then error("a table is nested too deeply, or holds itself", 0) end
  local copy, count = {}, 1
  for key, member in pairs(value) do
    local inner, more = sendable(member, depth + 1, empty_is_list)
    copy[key], count = inner, count + more + 1
  end
  if is_marked(value) or is_list(value) or (empty_is_list and next(value) == nil) then
    if codec.array_mt then setmetatable(copy, codec.array_mt)
    elseif next(copy) == nil and codec.empty_array ~= nil then copy = codec.empty_array end
  end
  return copy, count
end

--- The value of a JSON text. Nil for null.
function core.decode(text)
  local value = json().decode(text)
  if value == json().null or value == null then return nil end
  return received(value)
end

--- The JSON text of a value. An empty table is {} unless it came as [], or `as_list` says so.
function core.encode(value, as_list)
  local copy = sendable(value, 1, false)
  if as_list and type(copy) == "table" and next(copy) == nil then return "[]" end
  return json().encode(copy)
end

-- SHA-1, without bit operators: Lua 5.1 has none

local XOR, AND = {}, {}
for left = 0, 15 do
  for right = 0, 15 do
    local either, both, bit, l, r = 0, 0, 1, left, right
    for _ = 1, 4 do
      if l % 2 ~= r % 2 then either = either + bit elseif l % 2 == 1 then both = both + bit end
      l, r, bit = floor(l / 2), floor(r / 2), bit * 2
    end
    XOR[left * 16 + right], AND[left * 16 + right] = either, both
  end
end

local function by_nibbles(nibbles, left, right)
  local made, unit = 0, 1
  for _ = 1, 8 do
    made = made + nibbles[left % 16 * 16 + right % 16] * unit
    left, right, unit = floor(left / 16), floor(right / 16), unit * 16
  end
  return made
end

local WORD = 2 ^ 32
local function xor(left, right) return by_nibbles(XOR, left, right) end
local function both(left, right) return by_nibbles(AND, left, right) end
local function rotated(word, bits)
  local high = 2 ^ (32 - bits)
  return word % high * 2 ^ bits + floor(word / high)
end

local function word_at(text, at)
  local a, b, c, d = byte(text, at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

--- The SHA-1 of a text, as hexadecimal digits.
local function sha1(text)
  local bits = #text * 8
  text = text .. "\128" .. ("\0"):rep((55 - #text) % 64)
  for place = 7, 0, -1 do text = text .. char(floor(bits / 256 ^ place) % 256) end
  local h0, h1, h2, h3, h4 = 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0
  local words = {}
  for block = 1, #text, 64 do
    for t = 0, 15 do words[t] = word_at(text, block + t * 4) end
    for t = 16, 79 do
      words[t] = rotated(xor(xor(words[t - 3], words[t - 8]), xor(words[t - 14], words[t - 16])), 1)
    end
    local a, b, c, d, e = h0, h1, h2, h3, h4
    for t = 0, 79 do
      local f, k
      if t < 20 then f, k = xor(d, both(b, xor(c, d))), 0x5A827999
      elseif t < 40 then f, k = xor(xor(b, c), d), 0x6ED9EBA1
      elseif t < 60 then f, k = xor(both(b, c), both(d, xor(b, c))), 0x8F1BBCDC
      else f, k = xor(xor(b, c), d), 0xCA62C1D6 end
      a, b, c, d, e = (rotated(a, 5) + f + e + k + words[t]) % WORD, a, rotated(b, 30), c, d
    end
    h0, h1, h2 = (h0 + a) % WORD, (h1 + b) % WORD, (h2 + c) % WORD
    h3, h4 = (h3 + d) % WORD, (h4 + e) % WORD
  end
  local digits = {}
  for index, word in ipairs({ h0, h1, h2, h3, h4 }) do
    digits[index] = format("%04x%04x", floor(word / 65536), word % 65536)
  end
  return concat(digits)
end

local URL_NAMESPACE = "\107\167\184\17\157\173\17\209\128\180\0\192\79\212\48\200"

--- The externalId of something a shop sold: core.external_id("shop", "order-1001/line-2/1").
function core.external_id(shop, item)
  local hash = sha1(URL_NAMESPACE .. "core-rpc/external/" .. shop .. "/" .. item)
  local variant = format("%x", 8 + tonumber(hash:sub(17, 17), 16) % 4)
  return concat({
    hash:sub(1, 8), hash:sub(9, 12), "5" .. hash:sub(14, 16), variant .. hash:sub(18, 20), hash:sub(21, 32),
  }, "-")
end

-- Errors

local error_mt = {}
error_mt.__index = error_mt
error_mt.__tostring = function(self)
  return (self.where or "") .. self.method .. ": " .. self.message .. " (" .. self.word .. ")"
end

local _, own_position = pcall(error, "", 2)
local OWN_FILE = tostring(own_position):match("^(.-):%d+:") or "core.lua"

--- Where in the script a call stands: "script.lua:12: ".
local function calling_line()
  for level = 3, 12 do
    local _, position = pcall(error, "", level)
    position = tostring(position)
    if position ~= "" and position:sub(1, #OWN_FILE + 1) ~= OWN_FILE .. ":" then return position end
  end
  return ""
end

local function transport_error(method, message)
  return setmetatable({ word = "TRANSPORT", message = message, method = method, data = {}, fields = {} }, error_mt)
end

local function rpc_error(method, found, headers)
  local data = type(found.data) == "table" and found.data or {}
  return setmetatable({
    code = found.code,
    word = data.code or tostring(found.code),
    message = tostring(found.message),
    method = method,
    data = data,
    fields = data.fields or {},
    requestId = data.requestId or headers["x-request-id"],
  }, error_mt)
end

--- Whether a value is an error that a call raised.
function core.is_error(value)
  return type(value) == "table" and getmetatable(value) == error_mt
end

-- HTTP by luasocket, for when no other is given

local function luasocket_http(request)
  local ltn12 = require "ltn12"
  local http = require(request.url:match("^https:") and "ssl.https" or "socket.http")
  local reply, headers = {}, {}
  for name, value in pairs(request.headers) do headers[name] = value end
  headers["Content-Length"] = #request.body
  http.TIMEOUT = request.timeout
  local done, status, found = http.request({
    url = request.url, method = request.method, headers = headers, redirect = false,
    source = ltn12.source.string(request.body), sink = ltn12.sink.table(reply),
  })
  if not done then return nil, tostring(status) end
  return { status = status, headers = found, body = concat(reply) }
end

local function sleep(seconds)
  if settings.sleep then return settings.sleep(seconds) end
  return require("socket").sleep(seconds)
end

local function from_environment(name)
  return os and os.getenv and os.getenv(name) or nil
end

local function endpoint()
  local url = settings.url or from_environment("CORE_RPC_URL") or "http://127.0.0.1:8080/rpc"
  if url:match("^%a+://[^/]+/?$") then url = url:gsub("/$", "") .. "/rpc" end
  return url
end

--- The header that shows the token, without blanks around it. An error when it cannot be one never shows it.
local function authorization()
  local token = (settings.token or from_environment("CORE_RPC_TOKEN") or ""):match("^%s*(.-)%s*$")
  if token:find("[^!-~]") then
    error("the token, which is not shown here, has a character that no token has: a blank, a control"
      .. " character, or one that is not ASCII", 0)
  end
  return "Bearer " .. token
end

--- Send a body; gives the reply, or nil and why there is none.
local function post(body)
  local http = settings.http or luasocket_http
  local fine, reply, why = pcall(http, {
    url = endpoint(),
    method = "POST",
    headers = {
      ["Content-Type"] = "application/json",
      ["Authorization"] = authorization(),
    },
    body = body,
    timeout = settings.timeout or 40,
  })
  if not fine then return nil, tostring(reply) end
  if type(reply) ~= "table" then return nil, tostring(why) end
  local headers = {}
  for name, value in pairs(reply.headers or {}) do headers[tostring(name):lower()] = value end
  return { status = reply.status, headers = headers, body = reply.body or "" }
end

-- Idempotency keys: 160 bits that nobody else has

local seed, made_keys = nil, 0

--- 20 bytes of the system's random numbers as hexadecimal digits; nil where there are none.
local function random_digits()
  local source = io and io.open and io.open("/dev/urandom", "rb")
  if not source then return nil end
  local bytes = source:read(20)
  source:close()
  return (bytes:gsub(".", function(one) return format("%02x", byte(one)) end))
end

local function digits_of_seed()
  if not seed then
    local parts = { tostring({}), tostring(function() end), tostring(math.random()) }
    if os and os.time then parts[#parts + 1] = os.time() .. "/" .. (os.clock and os.clock() or "") end
    seed = sha1(settings.seed or concat(parts, "/"))
  end
  made_keys = made_keys + 1
  return sha1(seed .. "/" .. made_keys)
end

--- 40 digits. They are read anew each time: when a process forks, both have the same seed and the same count.
local function new_digits()
  return not settings.seed and random_digits() or digits_of_seed()
end

local function new_key()
  if settings.key then return settings.key() end
  return new_digits()
end

-- Calls

local last_id -- counted from a random number below 2 ^ 40, which is exact in every JSON

local function params_of(count, ...)
  while count > 0 and (select(count, ...)) == nil do count = count - 1 end
  if count == 0 then return {}, 1 end
  local first = ...
  if count == 1 and type(first) == "table" and first ~= null then
    local copy, values = {}, 1
    for name, member in pairs(first) do
      local inner, more = sendable(member, 2, true)
      copy[name], values = inner, values + more + 1
    end
    return copy, values
  end
  local list, values = {}, 1
  for index = 1, count do
    local value = (select(index, ...))
    if value == nil then value = null end
    local more
    list[index], more = sendable(value, 2, true)
    values = values + more
  end
  return list, values
end

local function new_call(method, key, ...)
  local params, values = params_of(select("#", ...), ...)
  last_id = (last_id or tonumber((random_digits() or digits_of_seed()):sub(1, 10), 16)) + 1
  local fine, body = pcall(json().encode, {
    jsonrpc = "2.0", method = method, params = params, id = last_id, idempotencyKey = key or new_key(),
  })
  if not fine then error(tostring(body), 0) end
  return { id = last_id, method = method, body = body, values = values + CALL_VALUES }
end

local AGAIN = { [-32005] = true, [-32009] = true } -- RATE_LIMITED, BUSY: not carried out

local function may_come_right(failure)
  return failure.word == "TRANSPORT" or AGAIN[failure.code] or failure.word == "IDEMPOTENCY_KEY_IN_USE"
end

--- Give each call of a request what the server made of it.
local function settle(calls, reply, why)
  local content
  if reply then
    local fine, found = pcall(core.decode, reply.body)
    if fine and type(found) == "table" then content = found else why = "the reply is not JSON-RPC" end
  end
  local outcomes = {}
  if content and #content > 0 then
    for _, outcome in ipairs(content) do
      if type(outcome) == "table" and outcome.id ~= nil then outcomes[outcome.id] = outcome end
    end
  elseif content and content.id ~= nil then
    outcomes[content.id] = content
  end
  local refused = content and #content == 0 and content.id == nil and content.error
  for _, call in ipairs(calls) do
    local outcome = outcomes[call.id]
    local wrong = outcome and outcome.error or not outcome and refused
    call.done, call.failure, call.result = true, nil, nil
    if wrong then
      call.failure = rpc_error(call.method, wrong, reply.headers)
    elseif outcome then
      call.result = outcome.result
    else
      call.failure = transport_error(call.method, why or "the server did not answer this call")
      -- A reply with a status of its own is an answer; only a missing one is worth a repetition.
      if reply and reply.status ~= 503 and reply.status ~= 429 then call.failure.final = true end
    end
  end
end

local function wait_before(attempt, calls, reply)
  local wait = FIRST_WAIT * 2 ^ (attempt - 1) * (0.5 + math.random() / 2)
  local asked = reply and tonumber(reply.headers["retry-after"])
  for _, call in ipairs(calls) do
    local told = call.failure and call.failure.data.retryAfterMs
    if type(told) == "number" then asked = math.max(asked or 0, told / 1000) end
  end
  if asked and asked > LONGEST_WAIT then return nil end
  return math.max(wait, asked or 0)
end

--- Send calls in one request, and again those of which nothing came that may still come.
local function send(calls, as_batch)
  local attempts = settings.attempts or ATTEMPTS
  for attempt = 1, attempts do
    local bodies = {}
    for index, call in ipairs(calls) do bodies[index] = call.body end
    local body = as_batch and "[" .. concat(bodies, ",") .. "]" or bodies[1]
    local reply, why = post(body)
    settle(calls, reply, why)
    local again = {}
    for _, call in ipairs(calls) do
      if call.failure and not call.failure.final and may_come_right(call.failure) then again[#again + 1] = call end
    end
    if #again == 0 or attempt == attempts then return end
    local wait = wait_before(attempt, again, reply)
    if not wait then return end
    sleep(wait)
    calls = again
  end
end

local function value_of(call)
  if not call.failure then return call.result end
  call.failure.where = call.failure.where or call.where or calling_line()
  return error(call.failure, 0)
end

-- Batches

local pending_mt = {}
pending_mt.__index = pending_mt
pending_mt.__tostring = function(self) return "pending " .. self.method end

--- The value of a call of a batch, or its error raised.
function pending_mt:value()
  if not self.done then error("the batch is not sent yet: ask for its values after core.batch", 2) end
  local value = value_of(self)
  return value
end

--- The error of a call of a batch, or nil.
function pending_mt:error()
  if not self.done then error("the batch is not sent yet: ask for its values after core.batch", 2) end
  return self.failure
end

local function is_pending(value)
  return type(value) == "table" and getmetatable(value) == pending_mt
end

local function resolved(value)
  if is_pending(value) then return (value:value()) end
  if type(value) ~= "table" or getmetatable(value) ~= nil then return value end
  for key, member in pairs(value) do
    if is_pending(member) then value[key] = member:value() end
  end
  return value
end

local function send_in_pieces(calls)
  local piece, bytes, values = {}, 0, 0
  for _, call in ipairs(calls) do
    local full = #piece == BATCH_CALLS or bytes + #call.body > BATCH_BYTES or values + call.values > BATCH_VALUES
    if #piece > 0 and full then
      send(piece, true)
      piece, bytes, values = {}, 0, 0
    end
    piece[#piece + 1], bytes, values = call, bytes + #call.body + 1, values + call.values
  end
  if #piece > 0 then send(piece, true) end
end

local function counted(...) return select("#", ...), { ... } end

--- Send the calls that a function makes in one request, in their order.
--
-- Inside, a call gives a pending value; afterwards pending:value() gives its value or raises its error.
-- What the function returns comes back, with the values in place of what was pending.
function core.batch(write)
  if open_batch then error("a batch is being written already", 2) end
  local calls = {}
  open_batch = calls
  local count, found = counted(pcall(write))
  open_batch = nil
  if not found[1] then error(found[2], 0) end
  send_in_pieces(calls)
  for index = 2, count do found[index] = resolved(found[index]) end
  return (unpack or table.unpack)(found, 2, count)
end

local function call(method, key, ...)
  local made = new_call(method, key, ...)
  if open_batch then
    made.where = calling_line()
    open_batch[#open_batch + 1] = made
    return setmetatable(made, pending_mt)
  end
  send({ made }, false)
  local value = value_of(made)
  return value
end

--- Call any method: core.call("core.ListCohorts", id).
function core.call(method, ...)
  local value = call(method, nil, ...)
  return value
end

local function functions_of(namespace, prefix, key)
  return setmetatable(namespace, {
    __index = function(self, name)
      if type(name) ~= "string" or not name:match("^%u") then return nil end
      local function made(...)
        local value = call(prefix .. name, key, ...)
        return value
      end
      rawset(self, name, made)
      return made
    end,
  })
end

functions_of(core.admin, "admin.")

--- The functions again, for one call with an idempotency key of the script's own.
function core.keyed(key)
  return functions_of({ admin = functions_of({}, "admin.", key) }, "core.", key)
end

local SETTINGS = {
  url = "string", token = "string", json = "table", http = "function", timeout = "number",
  sleep = "function", key = "function", seed = "string", attempts = "number",
}

--- Set url, token, json, http, timeout, sleep, key, seed or attempts; what is not named stays.
function core.configure(given)
  for name, value in pairs(given) do
    if type(value) ~= SETTINGS[name] then
      error("core.configure: " .. tostring(name) .. " is not a setting, or not of its type", 2)
    end
    settings[name] = name == "json" and settled(value) or value
    if name == "seed" then seed, made_keys = nil, 0 end
  end
  return core
end

return functions_of(core, "core.")
