// Fetches the document, has the official schemas and parser judge it, and keeps it as openrpc.json.
const assert = require("node:assert/strict");
const fs = require("node:fs");
const Ajv = require("ajv");
const jsonSchema = require("@json-schema-tools/meta-schema").default;
const { openrpcDocument: metaSchema } = require("@open-rpc/meta-schema");
const {
  MethodCallValidator,
  parseOpenRPCDocument,
  validateOpenRPCDocument,
} = require("@open-rpc/schema-utils-js");

const { URL: url, TOKEN: token } = process.env;
const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };

function obeysMetaSchema(document) {
  const ajv = new Ajv();
  ajv.addSchema(jsonSchema, "https://meta.json-schema.tools");
  return [ajv.validate(metaSchema, document), ajv.errorsText()];
}

async function main() {
  const page = await fetch(url.replace(/\/rpc$/, "/openrpc.json"), { headers });
  assert.equal(page.status, 200);
  const document = await page.json();
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "rpc.discover" });
  const answer = await (await fetch(url, { method: "POST", headers, body })).json();
  assert.deepEqual(answer.result, document, "rpc.discover and /openrpc.json differ");
  assert.equal(document.openrpc, "1.3.2");
  assert.equal(document.servers[0].url, url);

  const [isValid, errors] = obeysMetaSchema(document);
  assert.ok(isValid, errors);
  const verdict = validateOpenRPCDocument(document);
  assert.equal(verdict, true, verdict.message);
  const broken = { ...document, methods: [{ ...document.methods[0], params: "none" }] };
  assert.equal(obeysMetaSchema(broken)[0], false, "the meta-schema accepts anything");
  assert.notEqual(validateOpenRPCDocument(broken), true, "schema-utils-js accepts anything");

  const parsed = await parseOpenRPCDocument(structuredClone(document));
  assert.equal(parsed.methods.length, document.methods.length);
  assert.ok(!JSON.stringify(parsed.methods).includes("$ref"), "a reference was left");

  // What the official validator of calls says to the examples.
  const calls = new MethodCallValidator(parsed);
  let examples = 0;
  for (const method of parsed.methods) {
    for (const { params } of method.examples) {
      const names = params.map((param) => [param.name, param.value]);
      for (const given of [params.map((param) => param.value), Object.fromEntries(names)]) {
        assert.deepEqual(calls.validate(method.name, given), [], method.name);
      }
      examples += 1;
    }
  }
  assert.ok(examples >= parsed.methods.length && examples > 0);
  assert.notDeepEqual(calls.validate("core.LookupProgram", ["not an id"]), []);

  fs.writeFileSync("openrpc.json", JSON.stringify(document));
  console.log(`valid: ${parsed.methods.length} methods, ${examples} examples`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
