-- Somebody bought a place in a program: make the user, and a ticket for each unit that was bought.
mock("email", "new.buyer@example.org")
mock("shop", "shop")
mock("order", "order-1001")
mock("line", 1)
mock("quantity", 2)
mock("programKindId", "00000002-0000-4000-8000-000000000002")

local email = param("email")
local isNew = core.CreateUser({ email = email, first = param("first"), last = param("last") })

local made = 0
for unit = 1, param("quantity") do
  local item = param("order") .. "/line-" .. param("line") .. "/" .. unit
  made = made + core.CreateProgramTicket({
    email = email,
    programKindId = param("programKindId"),
    externalId = core.external_id(param("shop"), item),
    sku = param("sku"),
  })
end

print(email, isNew and "is new" or "was known", "tickets made: " .. made)
return { isNew = isNew, made = made, tickets = len(core.UserTickets({ email = email, state = "ready" })) }
