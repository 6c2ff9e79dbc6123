-- Close a program that has ended: whoever is still active in it has completed it.
mock("programId", "00000003-0000-4000-8000-000000000007")

local programId = param("programId")
local closing = core.ListClosingParticipants({ programId = programId, withinDays = 0 })

core.batch(function()
  local pending = {}
  for index, participant in ipairs(closing) do
    pending[index] = core.UpdateUserCohortState({
      userId = participant.userId, programId = programId, state = "completed", comments = "the program has ended",
    })
  end
  return pending
end)

print("closed for " .. len(closing))
return { closed = len(closing) }
