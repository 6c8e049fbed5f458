// The verifier page without a browser: runs the very script text of the HTML file.
//   node run_verify.mjs FILE.zip [HEAD]      prints the report, exit 0 if it verifies
//   node run_verify.mjs --batch < LIST       LIST: JSON [[base64, head, base64 of openings], ...], the last
//                                            optional; prints a JSON list
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

const page = join(dirname(fileURLToPath(import.meta.url)), "../../app/verifiers/verify.html");
vm.runInThisContext(/<script>([\s\S]*)<\/script>/.exec(readFileSync(page, "utf8"))[1]);

const [file, head] = process.argv.slice(2);
if (file === "--batch") {
  const reports = [];
  const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
  for (const [data, wanted, opened] of JSON.parse(readFileSync(0, "utf8")))
    reports.push(await globalThis.mingjianVerify(bytes(data), wanted, opened === undefined ? null : bytes(opened)));
  process.stdout.write(JSON.stringify(reports));
} else if (file) {
  const began = performance.now();
  const report = await globalThis.mingjianVerify(new Uint8Array(readFileSync(file)), head);
  console.log(JSON.stringify({ ...report, seconds: (performance.now() - began) / 1000 }));
  process.exitCode = report.ok ? 0 : 1;
} else {
  console.error("usage: node run_verify.mjs FILE.zip [HEAD] | --batch");
  process.exitCode = 2;
}
