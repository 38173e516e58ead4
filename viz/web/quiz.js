// The quiz page: compares answers with the key and says which factor is wrong.
"use strict";
const $ = (id) => document.getElementById(id);
const read = (text) => {
  const plain = text.trim().replaceAll("−", "-").replace(",", ".").replaceAll("∞", "Infinity");
  if (/^-?inf$/i.test(plain)) return plain.startsWith("-") ? -Infinity : Infinity;
  const half = plain.split("/");
  return half.length === 2 && half[1].trim() !== "" ? Number(half[0]) / Number(half[1]) : plain === "" ? null : Number(plain);
};
const same = (got, wanted) => {
  if (!Number.isFinite(wanted)) return Object.is(got, wanted);
  return Math.abs(got - wanted) <= DATA.tolerance * Math.abs(wanted) + 1e-12;
};
function judge(question) {
  const got = read($(question.key).value);
  if (got === null) return [false, "no answer"];
  if (same(got, Number(question.answer))) return [true, "right"];
  const found = question.pitfalls.find(([value]) => same(got, Number(value)));
  return [false, found ? `${found[1]}; ${question.hint}` : question.hint];
}
function check() {
  let score = 0;
  for (const question of DATA.questions) {
    const [right, hint] = judge(question);
    score += right;
    const said = $(`${question.key}-said`);
    said.textContent = `${right ? "✓" : "✗"} ${hint}`;
    said.className = right ? "right" : "wrong";
  }
  $("score").textContent = `${score} of ${DATA.questions.length} right`;
}
$("check").addEventListener("click", check);
$("reveal").addEventListener("click", () => {
  for (const question of DATA.questions) $(question.key).value = Number(Number(question.answer).toPrecision(6));
  check();
});
for (const question of DATA.questions) $(question.key).addEventListener("keydown", (event) => { if (event.key === "Enter") check(); });
