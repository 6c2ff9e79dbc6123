// Calls every example by position or by name through @open-rpc/test-coverage and its own rules.
// Through its API and not its command, which cannot send a token.
const assert = require("node:assert/strict");
const fs = require("node:fs");
const testCoverage = require("@open-rpc/test-coverage").default;
const { parseOpenRPCDocument } = require("@open-rpc/schema-utils-js");

const { URL: endpoint, TOKEN: token } = process.env;
const structure = process.argv[2];

let id = 0;
async function transport(url, method, params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params });
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  return (await fetch(url, { method: "POST", headers, body })).json();
}

const silent = { onBegin() {}, onTestBegin() {}, onTestEnd() {}, onEnd() {} };

async function calls(document, only) {
  const parsed = await parseOpenRPCDocument(structuredClone(document));
  for (const method of parsed.methods) {
    method.paramStructure = structure;
  }
  return testCoverage({ openrpcDocument: parsed, transport, reporters: [silent], skip: [], only });
}

async function main() {
  const document = JSON.parse(fs.readFileSync("openrpc.json"));
  document.servers[0].url = endpoint; // this demo listens at another port than the one described

  // First that the tool can say no, to a document with wrong results.
  const wrong = structuredClone(document);
  for (const method of wrong.methods) {
    method.result.schema = { type: "object", title: "Wrong", required: ["nothing"] };
  }
  const only = ["core.ListActivePrograms", "core.ListCohorts"];
  for (const call of await calls(wrong, only)) {
    assert.match(call.reason, /schema validation failed/, "the tool accepts anything");
  }

  const made = await calls(document, []);
  const bad = made.filter((call) => !call.valid);
  for (const call of bad) {
    console.error(call.methodName, call.reason ?? call.requestError ?? call.error);
  }
  assert.ok(made.length > 0, "the tool called nothing");
  assert.equal(bad.length, 0, `${bad.length} of ${made.length} calls failed`);
  const called = new Set(made.map((call) => call.methodName));
  assert.deepEqual([...called].sort(), document.methods.map((method) => method.name).sort());
  assert.ok(made.every((call) => Array.isArray(call.params) === (structure === "by-position")));
  console.log(`${structure}: ${made.length} calls of ${called.size} methods passed`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
