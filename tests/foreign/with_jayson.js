// The server by jayson, with promises.
const jayson = require("jayson/promise");

const SPRING = "00000003-0000-4000-8000-000000000002";
const NOBODY = "00000001-0000-4000-8000-000000000063";

const { hostname, port, pathname } = new URL(process.env.CORE_RPC_URL);

function connect(token, more) {
  const headers = { Authorization: `Bearer ${token}` };
  return jayson.Client.http({ hostname, port, path: pathname, headers, ...more });
}

const client = connect(process.env.CORE_RPC_TOKEN);

// A part of a batch: made, and not sent yet. The id is undefined for one of its own, null for a notification.
const part = (method, params, id) => client.request(method, params, id, false);

const outcome = (answer) => answer.error ?? answer.result;

// What a notification gets; undefined is lost in JSON, so it is null here.
const nothing = (answer) => answer ?? null;

async function main() {
  const got = {};
  got["result by position"] = outcome(await client.request("core.LookupProgramInstance", [SPRING]));
  got["result by name"] = outcome(await client.request("core.LookupProgramInstance", { programId: SPRING }));
  got["error by position"] = outcome(await client.request("core.ListCohorts", [NOBODY]));
  got["error by name"] = outcome(await client.request("core.ListCohorts", { programId: NOBODY }));
  got["notification by position"] = nothing(
    await client.request("core.CreateUser", ["position@example.org"], null),
  );
  got["notification by name"] = nothing(
    await client.request("core.CreateUser", { email: "name@example.org" }, null),
  );

  let answers = await client.request([
    part("core.ConfirmCohort", [SPRING, "By position"]),
    part("core.CreateUser", ["batch-position@example.org"], null),
    part("core.ListCohorts", [NOBODY]),
    part("core.ListCohorts", [SPRING]),
  ]);
  got["batch by position"] = answers.map(outcome);

  answers = await client.request([
    part("core.ConfirmCohort", { programId: SPRING, cohortName: "By name" }),
    part("core.CreateUser", { email: "batch-name@example.org" }, null),
    part("core.ListCohorts", { programId: NOBODY }),
    part("core.ListCohorts", { programId: SPRING }),
  ]);
  got["batch by name"] = answers.map(outcome);

  got["batch of notifications"] = nothing(
    await client.request([
      part("core.CreateUser", ["only-1@example.org"], null),
      part("core.CreateUser", ["only-2@example.org"], null),
    ]),
  );

  // With this option it writes `"id": null` for a notification, which for JSON-RPC 2.0 is a call.
  const nulls = connect(process.env.CORE_RPC_TOKEN, { notificationIdNull: true });
  got["ids"] = [
    (await client.request("core.ListActivePrograms", [], "order 1001/2")).id,
    (await client.request("core.ListActivePrograms", [], 7)).id,
    (await nulls.request("core.ListActivePrograms", [], null)).id,
  ];

  try {
    await connect("of-bad-news").request("core.ListActivePrograms", []);
  } catch (error) {
    got["without a good token"] = { status: error.code, body: JSON.parse(error.message) };
  }

  console.log(JSON.stringify(got));
}

main();
