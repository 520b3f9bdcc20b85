// Score vectors of the conformance kit with the OpenScales web runner, on Node.
//
//   node tests/golden/oracles/openscales.mjs SOURCE
//
// SOURCE: an unpacked copy of the public repository stmueller/OpenScales (on file: commit
// 449741e). Its runner (MIT licence) scores with its own definitions. Every answer is handed over as
// it stands in inputs.csv, legal or not; a blank is not handed over. Writes openscales.csv beside this
// file. A band is named by our word for the band at its place.

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";

const here = dirname(fileURLToPath(import.meta.url));
const kit = join(here, "..", "..", "..", "benchmarks", "conformance", "kit");
const source = process.argv[2];

const program = readFileSync(join(source, "runner", "scale-runner.js"), "utf8").replace(
  "return { mount, VERSION };",
  "return { computeScores, getNormLabel };",
);
const runner = vm.runInNewContext(`${program}\nScaleRunner`, { console });

const same = (name, items) => items.map((_, place) => `${name}${place + 1}`);
// By form: the file, the names of the items there, and by our output their scale (with what is
// added where codes start elsewhere); a star: the score after its transform.
const FORMS = {
  "audit-1.0.0": { file: "openscales/AUDIT", ids: "audit", scales: { total: "alcohol_use" } },
  "ces-d-1.0.0": { file: "openscales/CESD", ids: "cesd", scales: { total: "depression" } },
  "dass21-1.0.0": {
    file: "openscales/DASS21",
    ids: "d",
    scales: { depression: "depression", anxiety: "anxiety", stress: "stress" },
    times: 2,
  },
  "gad7-1.0.0": { file: "openscales/GAD7", ids: "gad", scales: { total: "anxiety" } },
  "pcl5-1.0.0": {
    file: "openscales/PCL5",
    ids: "pcl",
    scales: {
      total: "total", cluster_b: "intrusion", cluster_c: "avoidance", cluster_d: "cognition",
      cluster_e: "arousal",
    },
  },
  "phq2-1.0.0": { file: "openscales/PHQ2", ids: "phq2_", scales: { total: "depression" } },
  "phq9-1.0.0": { file: "openscales/PHQ9", ids: "phq", scales: { total: "depression" } },
  "rses-1.0.0": {
    file: "openscales/RSES", ids: "rses", scales: { total: "self_esteem" }, shift: -1, plus: 10,
  },
  "who5-1.0.0": {
    file: "restricted/WHO5", ids: "who", scales: { raw: "wellbeing", percentage: "wellbeing*" },
    downwards: true,
  },
  "pss10-1.0.0": {
    file: "phenx/PX180801", ids: null, scales: { total: "total" }, shift: 1, plus: -10,
  },
};

function table(file) {
  const [heading, ...rows] = readFileSync(file, "utf8").trimEnd().split("\n");
  const names = heading.split(",");
  return rows.map((row) => {
    const cells = row.split(",");
    return Object.fromEntries(names.map((name, place) => [name, cells[place]]));
  });
}

const lines = ["vector,output,value"];
for (const [form, one] of Object.entries(FORMS)) {
  const code = one.file.split("/")[1];
  const text = readFileSync(join(source, "scales", one.file, `${code}.osd`), "utf8");
  const { definition } = JSON.parse(text);
  const described = JSON.parse(readFileSync(join(kit, form, "form.json"), "utf8"));
  const items = described.items.map((item) => item.id);
  const asked = (definition.items ?? definition.questions).filter(
    (item) => item.type === "likert" || item.type === "multi",
  );
  const ids = one.ids === null ? asked.map((item) => item.id) : same(one.ids, items);
  for (const row of table(join(kit, form, "inputs.csv"))) {
    const answers = {};
    items.forEach((item, place) => {
      const cell = row[item];
      if (cell === "" || ids[place] === undefined) return;
      const moved = one.shift && /^-?\d+$/.test(cell) ? String(Number(cell) + one.shift) : cell;
      answers[ids[place]] = moved;
    });
    const { scores, transformedScores } = runner.computeScores(definition, answers);
    for (const [output, dimension] of Object.entries(one.scales)) {
      const name = dimension.replace("*", "");
      const found = dimension.endsWith("*") ? transformedScores[name] : scores[name];
      const value = found === null || found === undefined ? "" : found * (one.times ?? 1) + (one.plus ?? 0);
      lines.push(`${row.vector},${output},${value}`);
      const bands = definition.scoring[name].norms?.thresholds?.slice();
      if (one.downwards) bands.reverse(); // our words run from the near to the far side
      const words = described.outputs.find((one) => one.column === `${output}.category`)?.words;
      // The runner bands the score before its transform.
      if (bands && words && bands.length === words.length && !dimension.endsWith("*")) {
        const label = runner.getNormLabel(scores[name], definition.scoring[name]);
        const place = bands.findIndex((band) => band.label === label);
        lines.push(`${row.vector},${output}.category,${place < 0 ? "" : words[place]}`);
      }
    }
  }
}
writeFileSync(join(here, "openscales.csv"), `${lines.join("\n")}\n`);
