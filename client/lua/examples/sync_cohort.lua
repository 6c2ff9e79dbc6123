-- See to it that a program has a cohort, and bring the users that a query finds into it.
mock("programId", "00000003-0000-4000-8000-000000000002")
mock("cohortName", "Vegetarians")
mock("query", "given labels [vegetarian]")

local programId = param("programId")
local cohortId = core.ConfirmCohort({ programId = programId, cohortName = param("cohortName") })
local changed = core.SyncCohort({
  programId = programId, cohortId = cohortId, query = param("query"), mode = param("mode"),
})
print(param("cohortName") .. ": " .. changed .. " changed")
return { cohortId = cohortId, changed = changed }
