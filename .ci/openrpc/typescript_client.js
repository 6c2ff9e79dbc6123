// The client that @open-rpc/generator made: `prepare` mends what the generator gets wrong, `call` uses it.
const assert = require("node:assert/strict");
const fs = require("node:fs");

// Two faults of the generator 1.22.3, which are not the document's:
// - it writes a method's name as a property without quotes, and `public core.ListCohorts: ...` is not
//   TypeScript; names with a dot are usual, `rpc.discover` is one;
// - its template pins @open-rpc/meta-schema 1.14.2, whose types do not know version 1.3.2 of OpenRPC yet,
//   and a TypeScript that cannot read the type declarations that npm installs beside it today.
function prepare() {
  const document = JSON.parse(fs.readFileSync("src/openrpc.json"));
  const source = fs.readFileSync("src/index.ts", "utf8");
  let mended = source;
  for (const { name } of document.methods) {
    assert.equal(mended.split(`public ${name}:`).length, 2, `${name} was not generated once`);
    mended = mended.replace(`public ${name}:`, `public "${name}":`);
  }
  fs.writeFileSync("src/index.ts", mended);
  const project = JSON.parse(fs.readFileSync("package.json"));
  project.dependencies["@open-rpc/meta-schema"] = "1.14.9";
  project.overrides = { "@open-rpc/meta-schema": "1.14.9" };
  project.devDependencies = { typescript: "5.9.3" };
  fs.writeFileSync("package.json", JSON.stringify(project));
  console.log(`${document.methods.length} methods, ${source.split("\n").length} lines`);
}

async function call() {
  const { CoreRpc } = require("./build");
  const { Client, HTTPTransport, RequestManager } = require("@open-rpc/client-js");
  const { URL: endpoint, TOKEN: token } = process.env;
  const { hostname: host, port } = new URL(endpoint);
  const client = new CoreRpc({ transport: { type: "http", host, port: Number(port), path: "/rpc" } });
  // Its constructor takes no headers; its transport does.
  const headers = { Authorization: `Bearer ${token}` };
  client.rpc = new Client(new RequestManager([new HTTPTransport(endpoint, { headers })]));

  const examples = Object.fromEntries(
    CoreRpc.openrpcDocument.methods.map((method) => [
      method.name,
      method.examples[0].params.map((param) => param.value),
    ]),
  );
  const programs = await client["core.ListActivePrograms"]();
  assert.ok(programs.length > 0);
  const kind = await client["core.LookupProgram"](...examples["core.LookupProgram"]);
  assert.equal(kind.id, examples["core.LookupProgram"][0]);
  // Optional parameters stand before the required one here.
  const [program] = await client["core.ModifyProgramMembership"](...examples["core.ModifyProgramMembership"]);
  assert.equal(program.id, examples["core.ModifyProgramMembership"][2]);
  await assert.rejects(client["core.LookupProgram"]("not an id"));
  console.log("the TypeScript client made 3 calls and refused a wrong one");
}

module.exports = process.argv[2] === "prepare" ? prepare() : call().catch((error) => {
  console.error(error);
  process.exit(1);
});
