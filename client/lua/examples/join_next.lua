-- Put a user into the next program of a kind, unless they are in one that is still to come.
mock("userId", "00000001-0000-4000-8000-000000000001")
mock("programKindId", "00000002-0000-4000-8000-000000000002")

local userId, kind = param("userId"), param("programKindId")
for _, program in ipairs(core.UserFuturePrograms({ userId = userId })) do
  if program.programKind == kind then
    print("is in " .. program.name .. " already")
    return { joined = false, programId = program.id }
  end
end

-- Latest first: the next one is the last.
local soonest = last(core.ProgramsAfter({ kind = kind, after = param("after") }))
if not soonest then error("no program of this kind is to come") end
core.ModifyProgramMembership({ userId = userId, programId = soonest.id })
print("joined " .. soonest.name)
return { joined = true, programId = soonest.id }
