// Lighthouse over one page after another, in a Chromium that is open already, so that whoever signed in there stays so.
// node lighthouse.mjs PORT CATEGORIES < addresses, one a line > one JSON object a line
import { createInterface } from "node:readline";
import lighthouse from "lighthouse";

const [port, categories] = process.argv.slice(2);
for await (const url of createInterface({ input: process.stdin })) {
  const { lhr } = await lighthouse(url, {
    port: Number(port),
    logLevel: "error",
    output: "json",
    formFactor: "mobile",
    onlyCategories: categories.split(","),
  });
  const failed = Object.values(lhr.categories).flatMap((category) =>
    category.auditRefs
      .filter((ref) => ref.weight > 0 && lhr.audits[ref.id].score !== null && lhr.audits[ref.id].score < 0.9)
      .map((ref) => ref.id),
  );
  const numbers = (id) => lhr.audits[id]?.numericValue ?? null;
  const requests = lhr.audits["network-requests"]?.details?.items ?? [];
  console.log(
    JSON.stringify({
      url,
      landed: lhr.finalDisplayedUrl,
      error: lhr.runtimeError?.message ?? "",
      scores: Object.fromEntries(Object.entries(lhr.categories).map(([key, one]) => [key, one.score === null ? null : Math.round(100 * one.score)])),
      bytes: numbers("total-byte-weight"),
      requests: requests.length,
      lcp: numbers("largest-contentful-paint"),
      shift: numbers("cumulative-layout-shift"),
      blocked: numbers("total-blocking-time"),
      failed,
    }),
  );
}
