// The server by json-rpc-2.0, over fetch.
const { JSONRPCClient, createJSONRPCNotification, createJSONRPCRequest } = require("json-rpc-2.0");

const SPRING = "00000003-0000-4000-8000-000000000002";
const NOBODY = "00000001-0000-4000-8000-000000000063";

function connect(token) {
  const client = new JSONRPCClient(async (content) => {
    const reply = await fetch(process.env.CORE_RPC_URL, {
      method: "POST",
      headers: { "Content-Type": "application/json; charset=utf-8", Authorization: `Bearer ${token}` },
      body: JSON.stringify(content),
    });
    const text = await reply.text();
    if (reply.status !== 200) throw new Error(`${reply.status}: ${JSON.parse(text).error.message}`);
    if (text) client.receive(JSON.parse(text)); // nothing comes back for notifications
  });
  return client;
}

const client = connect(process.env.CORE_RPC_TOKEN);

const shown = ({ code, message, data }) => ({ code, message, data });

const outcome = (promise) => promise.catch(shown);

let number = 0;
const part = (method, params) => createJSONRPCRequest(`batch-${++number}`, method, params);

const results = (answers) => answers.map((answer) => answer.error ?? answer.result);

async function main() {
  const got = {};
  got["result by position"] = await client.request("core.LookupProgramInstance", [SPRING]);
  got["result by name"] = await client.request("core.LookupProgramInstance", { programId: SPRING });
  got["error by position"] = await outcome(client.request("core.ListCohorts", [NOBODY]));
  got["error by name"] = await outcome(client.request("core.ListCohorts", { programId: NOBODY }));

  // `notify` does not wait until it is sent, and hides what goes wrong then; `requestAdvanced` waits.
  got["notification by position"] = client.notify("core.CreateUser", ["position@example.org"]) ?? null;
  got["notification by name"] = await client.requestAdvanced(
    createJSONRPCNotification("core.CreateUser", { email: "name@example.org" }),
  );

  let answers = await client.requestAdvanced([
    part("core.ConfirmCohort", [SPRING, "By position"]),
    createJSONRPCNotification("core.CreateUser", ["batch-position@example.org"]),
    part("core.ListCohorts", [NOBODY]),
    part("core.ListCohorts", [SPRING]),
  ]);
  got["batch by position"] = results(answers);

  answers = await client.requestAdvanced([
    part("core.ConfirmCohort", { programId: SPRING, cohortName: "By name" }),
    createJSONRPCNotification("core.CreateUser", { email: "batch-name@example.org" }),
    part("core.ListCohorts", { programId: NOBODY }),
    part("core.ListCohorts", { programId: SPRING }),
  ]);
  got["batch by name"] = results(answers);

  got["batch of notifications"] = await client.requestAdvanced([
    createJSONRPCNotification("core.CreateUser", ["only-1@example.org"]),
    createJSONRPCNotification("core.CreateUser", ["only-2@example.org"]),
  ]);

  const ids = ["order 1001/2", 7]; // for an answer with an id of null it has nobody waiting
  const calls = ids.map((id) => client.requestAdvanced(createJSONRPCRequest(id, "core.ListActivePrograms")));
  got["ids"] = (await Promise.all(calls)).map((answer) => answer.id);

  got["without a good token"] = await outcome(connect("of-bad-news").request("core.ListActivePrograms"));

  console.log(JSON.stringify(got));
}

main();
