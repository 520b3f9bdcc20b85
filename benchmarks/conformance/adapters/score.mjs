// A scorer in JavaScript on Node: PHQ-9, without a library. It gives no derived scores.
//
//   node score.mjs phq9-1.0.0 < inputs.csv > results.csv

import { readFileSync } from "node:fs";

const form = process.argv[2];
const [heading, ...rows] = readFileSync(0, "utf8").trimEnd().split("\n").map((line) => line.split(","));
const column = (row, name) => row[heading.indexOf(name)];

// A whole number among the codes; everything else is no answer.
const answer = (row, name, highest) => {
  const cell = column(row, name).trim();
  return /^\d+$/.test(cell) && Number(cell) <= highest ? Number(cell) : null;
};
const sum = (values) => values.reduce((a, b) => a + b, 0);
const band = (score, cuts, names) => names[cuts.filter((cut) => score >= cut - 1e-9).length];

function phq9(row) {
  const items = Array.from({ length: 9 }, (_, n) => answer(row, `q${n + 1}`, 3));
  const given = items.filter((value) => value !== null);
  const least = sum(given);
  const most = least + 3 * (9 - given.length);
  const score = given.length >= 7 ? (least * 9) / given.length : null;
  const names = ["minimal", "mild", "moderate", "moderately_severe", "severe"];
  const bands = [score, least, most].map((value) => band(value, [5, 10, 15, 20], names));
  // With blanks a category stands only where they cannot change it.
  const settled = score !== null && bands[1] === bands[2];
  const last = items[8];
  return {
    total: score ?? "",
    "total.category": settled ? bands[0] : "",
    "critical.q9": last === null ? "open" : last >= 1 ? "yes" : "no",
  };
}

const scorers = { "phq9-1.0.0": phq9 };
if (!(form in scorers)) {
  console.error(`this scorer does not know ${form}`);
  process.exit(1);
}
const results = rows.map((row) => ({ vector: column(row, "vector"), ...scorers[form](row) }));
const names = Object.keys(results[0]);
console.log(names.join(","));
for (const result of results) console.log(names.map((name) => result[name]).join(","));
