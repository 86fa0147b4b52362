// Writes compressed copies of the bundle, which the server sends to whoever reads them, and beside it what it was made from: SHA-256 over name and content of every source, as `liangzhu.site.assets` counts it.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

const folder = "src/liangzhu/kernel/ui/static";
const names = readdirSync(join(folder, "ui"), { recursive: true })
  .filter((name) => /\.(css|js)$/.test(name))
  .map((name) => name.replaceAll("\\", "/"))
  .sort();
const hash = createHash("sha256");
for (const name of names) hash.update(`${name}\0`).update(readFileSync(join(folder, "ui", name))).update("\0");
writeFileSync(join(folder, "dist", "sources.sha256"), `${hash.digest("hex")}\n`);
for (const name of ["ui.css", "ui.js"]) {
  const content = readFileSync(join(folder, "dist", name));
  writeFileSync(join(folder, "dist", `${name}.br`), brotliCompressSync(content));
  writeFileSync(join(folder, "dist", `${name}.gz`), gzipSync(content, { level: 9 }));
}
