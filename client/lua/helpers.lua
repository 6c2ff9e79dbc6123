--- The helpers around core.* that scripts of the documented engine use. Requiring it makes them global:
-- core, param, mock, FromJson, ToJson, ToJsonArray, len, get, first, last, at.

local core = require "core"
local helpers = { core = core, params = nil }
local mocked = {}

local function step(value, name)
  if type(value) ~= "table" then return nil end
  local found = value[name]
  if found == nil and tonumber(name) then found = value[tonumber(name)] end
  return found
end

--- What is at a dotted path in a table: get(user, "groups.1"). Nil, or the default, where a step is missing.
function helpers.get(value, path, default)
  local found = step(value, path)
  if found == nil then
    found = value
    for name in tostring(path):gmatch("[^.]+") do found = step(found, name) end
  end
  if found == nil then return default end
  return found
end

--- Put a value at a dotted path.
local function put(target, path, value)
  local names = {}
  for name in path:gmatch("[^.]+") do names[#names + 1] = name end
  for index = 1, #names - 1 do
    if type(target[names[index]]) ~= "table" then target[names[index]] = {} end
    target = target[names[index]]
  end
  target[names[#names]] = value
end

--- A parameter as it is written on a command line: JSON where it is JSON, else text.
local function value_of(text)
  local fine, value = pcall(core.decode, text)
  if fine then return value end
  return text
end

local function event()
  if helpers.params == nil then
    helpers.params = {}
    for _, word in ipairs(arg or {}) do
      local path, text = word:match("^([%w_.]+)=(.*)$")
      if path then put(helpers.params, path, value_of(text)) end
    end
  end
  return helpers.params
end

--- A parameter of the event that the script runs on, by its dotted path; else what was mocked; else nil.
function helpers.param(path)
  local found = helpers.get(event(), path)
  if found == nil then found = helpers.get(mocked, path) end
  return found
end

--- Give a parameter a test value, for when the script runs without an event.
function helpers.mock(path, value)
  put(mocked, path, value)
end

--- The value of a JSON text.
function helpers.FromJson(text)
  return core.decode(text)
end

--- The JSON of a table; an empty one is an object unless it came as a list.
function helpers.ToJson(value)
  return core.encode(value)
end

--- The JSON of a list; an empty one is [], and so is nil.
function helpers.ToJsonArray(value)
  if value == nil then return "[]" end
  return core.encode(value, true)
end

--- How many: the items of a list, the members of another table, the characters of a text; 0 of nil.
function helpers.len(value)
  if value == nil then return 0 end
  if type(value) == "string" then
    local _, inner = value:gsub("[\128-\191]", "")
    return #value - inner
  end
  if #value > 0 then return #value end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  return count
end

--- The item at a place of a list, counted from 1, or from the end by -1, -2, ...; nil where there is none.
function helpers.at(list, place)
  if type(list) ~= "table" then return nil end
  if place < 0 then place = #list + 1 + place end
  return list[place]
end

--- The first item of a list, or nil.
function helpers.first(list)
  return helpers.at(list, 1)
end

--- The last item of a list, or nil.
function helpers.last(list)
  return helpers.at(list, -1)
end

for _, name in ipairs({
  "core", "param", "mock", "FromJson", "ToJson", "ToJsonArray", "len", "get", "first", "last", "at",
}) do
  _G[name] = helpers[name]
end

return helpers
