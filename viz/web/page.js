// The step-through page: walks a recorded graph forward and backward, explains every gradient,
// recomputes it when an input changes. `DATA` is the graph, `F` and `D` its primitives' values and
// partials, all three written before this text. Nothing is fetched, nothing is evaluated.
"use strict";
const $ = (id) => document.getElementById(id);
const NS = "http://www.w3.org/2000/svg";
const svg = $("stage").querySelector("svg");
const scene = svg.querySelector(".scene");
const nodes = DATA.nodes.map(([label, op, symbol, operands, value, partials, scope, selects], place) => ({
  label, name: label || `v${place}`, op, symbol, value: read(value), partials: partials.map(read), scope, selects,
  operands: operands.map((x) => (Array.isArray(x) ? { constant: read(x[0]) } : { node: x })),
}));
const N = nodes.length;
const root = N - 1;
const users = nodes.map(() => []);
nodes.forEach((node, child) => parentsOf(node).forEach(([parent, partial]) => users[parent].push([child, partial])));
let gradients = [];
let largest = 0;
let step = DATA.swept ? 2 * N : N;
let pinned = null;
let timer = null;
const collapsed = new Set(DATA.collapsed);

// ---------------------------------------------------------------- numbers and words

function read(x) { return typeof x === "number" ? x : Number(x); }

function number(x, digits = DATA.digits) {
  if (x === null || x === undefined) return "–";
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x === 0) return Object.is(x, -0) ? "−0" : "0";
  const size = Math.abs(x);
  let text;
  if (size >= 1e-4 && size < 1e6) {
    const whole = size >= 1 ? String(Math.floor(size)).length : 0;
    text = String(Number(x.toPrecision(Math.max(digits, whole))));
  } else {
    const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
    text = `${Number(mantissa)}e${Number(exponent)}`;
  }
  return text.replaceAll("-", "−");
}

const long = (x) => number(x, DATA.digits + 3);
const factor = (x) => (x < 0 || Object.is(x, -0) ? `(${long(x)})` : long(x));

function formula(node, words) {
  const infix = !/^\p{L}/u.test(node.symbol);
  if (words.length === 2 && infix) return `${words[0]} ${node.symbol} ${words[1]}`;
  if (words.length === 1 && node.op === "neg") return `${node.symbol}${words[0]}`;
  return `${infix ? node.op : node.symbol}(${words.join(", ")})`;
}

const partialName = (child, parent) => `∂${nodes[child].name}/∂${nodes[parent].name}`;

// ---------------------------------------------------------------- the two sweeps

// The operands that are nodes, each with its place among the partials.
function parentsOf(node) {
  let place = 0;
  return node.operands.filter((x) => x.node !== undefined).map((x) => [x.node, place++]);
}

function flow(child, cotangent, place) {
  const partial = nodes[child].partials[place];
  if (cotangent === 0 || (partial === 0 && nodes[child].selects)) return 0;
  return cotangent * partial;
}

// Gradients after the last `count` nodes have passed on theirs; all of them without an argument.
function sweep(count = N) {
  const sums = Array(N).fill(0);
  sums[root] = 1;
  for (let child = root; child > root - count; child--)
    for (const [parent, place] of parentsOf(nodes[child])) sums[parent] += flow(child, sums[child], place);
  return sums;
}

function recompute() {
  for (const node of nodes) {
    if (!node.op) continue;
    const x = node.operands.map((operand) => (operand.node === undefined ? operand.constant : nodes[operand.node].value));
    node.value = F[node.op](...x);
    const rules = D[node.op][0];
    node.partials = [];
    node.operands.forEach((operand, place) => {
      if (operand.node === undefined) return;
      node.partials.push(rules[place] ? rules[place](node.value, ...x) : 0);
    });
  }
  refresh();
}

function refresh() {
  gradients = sweep();
  largest = Math.max(0, ...gradients.filter(Number.isFinite).map(Math.abs));
  window.picture = { values: nodes.map((node) => node.value), gradients, step, steps: 2 * N };
  render();
}

// ---------------------------------------------------------------- what is drawn where

const cards = new Map(DATA.cards.map(([key, members, results]) => [key, { key, members, results, parts: [], links: [] }]));
const cardOf = Array(N).fill(null);
for (const card of cards.values()) for (const index of card.members) cardOf[index] = card.key;
const shapes = [...svg.querySelectorAll(".card, .wire, .text")].map((element) => {
  const [x, y] = element.getAttribute("transform").match(/-?[\d.]+/g).map(Number);
  const inner = element.getBBox();
  const card = element.id.slice(svg.id.length + 1).replace(/_[awoz]$/, "");
  const shape = { element, card, x, y, width: inner.width + inner.x, height: inner.height + inner.y };
  cards.get(shape.card)?.parts.push(shape);
  return shape;
});
const links = DATA.links.map(([key, source, target, place]) => {
  const element = $(`${svg.id}-${key}`);
  const path = element.querySelector("path");
  return {
    key, source, target, place, element, path, d: path.getAttribute("d"),
    arrow: element.querySelector("polygon"), points: element.querySelector("polygon")?.getAttribute("points"),
    text: element.querySelector("text"), at: place === null ? null : textPosition(element),
  };
});
const linkIndex = new Map(links.filter((link) => link.place !== null && link.place >= 0).map((link) => [`${link.source}>${link.target}>${link.place}`, link]));
const mergedIndex = new Map(links.filter((link) => link.place === -1).map((link) => [`${link.source}>${link.target}`, link]));
const clusters = DATA.scopes.map(([name, parent, size], place) => {
  const element = $(`${svg.id}-c${place}`);
  const rect = element.querySelector("rect");
  const box = ["x", "y", "width", "height"].map((a) => Number(rect.getAttribute(a)));
  return { name, parent, size, element, rect, box, label: element.querySelector("text"), card: null };
});
const legend = svg.querySelector(".legend");
const frame = svg.viewBox.baseVal;
const whole = { width: frame.width, height: frame.height };
const extra = document.createElementNS(NS, "g");
scene.append(extra);
const onEdge = new Map();

function textPosition(element) {
  const text = element.querySelector("text");
  return text ? [Number(text.getAttribute("x")), Number(text.getAttribute("y"))] : null;
}

// The collapsed cluster that hides scope `place`, the outermost one; -1 if none.
function hiddenBy(place) {
  let found = -1;
  for (; place >= 0; place = clusters[place].parent) if (collapsed.has(place)) found = place;
  return found;
}

function owner(index) {
  const hidden = hiddenBy(nodes[index].scope);
  return hidden >= 0 ? `c${hidden}` : cardOf[index];
}

// ---------------------------------------------------------------- painting numbers

function gradientRole(x) {
  if (x === null || x === 0 || Number.isNaN(x)) return "zero";
  const size = largest > 0 && Number.isFinite(largest) ? Math.abs(x) / largest : 1;
  return (x > 0 ? "plus" : "minus") + (size > 0.5 ? 3 : size > 0.1 ? 2 : 1);
}

function edgeRole(x) { return x === null || x === 0 || Number.isNaN(x) ? "neutral" : x > 0 ? "positive" : "negative"; }

function span(list) {
  if (!list.length || list.includes(null)) return "–";
  const low = number(Math.min(...list));
  const high = number(Math.max(...list));
  return low === high ? low : `${low} … ${high}`;
}

function fit(text, content) {
  text.textContent = content;
  text.removeAttribute("textLength");
  const cell = text.previousElementSibling;
  const room = cell?.tagName === "rect" ? Number(cell.getAttribute("width")) - 4 : 0;
  if (room && text.getComputedTextLength() > room) {
    text.setAttribute("textLength", room);
    text.setAttribute("lengthAdjust", "spacingAndGlyphs");
  }
}

function paintCell(element, part, content, role) {
  for (const text of element.querySelectorAll(`text.${part}`)) {
    if (text.textContent !== content) fit(text, content);
    const cell = text.previousElementSibling;
    if (role && cell?.tagName === "rect") cell.setAttribute("class", `${role} s-line`);
  }
}

function render() {
  const forward = Math.min(step, N);
  const back = Math.max(step - N, 0);
  const sums = back ? sweep(back) : null;
  const reached = Array(N).fill(false);
  if (back) {
    reached[root] = true;
    for (let child = root; child > root - back; child--) for (const [parent] of parentsOf(nodes[child])) reached[parent] = true;
  }
  const valueAt = (i) => (i < forward ? nodes[i].value : null);
  const gradientAt = (i) => (back && reached[i] ? sums[i] : null);
  const current = step === 0 || step === 2 * N ? null : back ? N - back : forward - 1;
  const drawn = [...cards.values()].map((card) => [card.parts.map((part) => part.element), card.results]);
  for (const cluster of clusters) if (cluster.card) drawn.push([[cluster.card], cluster.results]);
  for (const [elements, results] of drawn) {
    if (!results.length) continue;
    const values = results.map(valueAt);
    const slopes = results.map(gradientAt);
    const strongest = slopes.reduce((a, b) => (b !== null && (a === null || Math.abs(b) > Math.abs(a)) ? b : a), null);
    for (const element of elements) {
      paintCell(element, "value", values.includes(null) ? "" : span(values));
      paintCell(element, "gradient", !back || slopes.includes(null) ? (back ? "" : "–") : span(slopes), gradientRole(strongest));
      element.classList.toggle("dim", values.includes(null));
      if (element.hasAttribute("role") && !element.classList.contains("closed"))
        element.setAttribute("aria-label", `${nodes[results[0]].name}: value ${span(values)}, gradient ${back ? span(slopes) : "–"}`);
      element.classList.toggle("current", current !== null && results.includes(current));
    }
  }
  paintEdges(back ? sums : null, back, current);
  $("step").value = String(step);
  $("where").textContent = step <= N ? `forward ${forward} / ${N}` : `backward ${back} / ${N}`;
  if (window.picture) window.picture.step = step;
  if (pinned === null) say(current === null ? overview() : describeStep(current, back));
}

function paintEdges(sums, back, current) {
  const totals = new Map();
  let top = 0;
  nodes.forEach((node, child) => {
    let place = -1;
    node.operands.forEach((operand, position) => {
      if (operand.node === undefined) return;
      place++;
      const [source, target] = [owner(operand.node), owner(child)];
      if (source === target || source === null || target === null) return;
      const plain = linkIndex.get(`${source}>${target}>${position}`);
      const key = plain ? plain.key : `${source}>${target}`;
      const sent = sums && child > root - back;
      const amount = sent ? flow(child, sums[child], place) : null;
      const entry = totals.get(key) ?? { amount: null, partial: null, current: false, pairs: [] };
      if (amount !== null) entry.amount = (entry.amount ?? 0) + amount;
      entry.partial = plain ? node.partials[place] : null;
      entry.current ||= child === current;
      entry.pairs.push([operand.node, child]);
      totals.set(key, entry);
    });
  });
  for (const entry of totals.values()) if (Number.isFinite(entry.amount)) top = Math.max(top, Math.abs(entry.amount ?? 0));
  onEdge.clear();
  for (const [key, entry] of totals) {
    const link = links.find((one) => one.key === key) ?? mergedIndex.get(key) ?? extraLinks.get(key);
    if (!link) continue;
    const role = DATA.circuit ? "neutral" : edgeRole(entry.amount);
    const size = entry.amount === null || !top || Number.isNaN(entry.amount) ? 1 : 0.8 + 2.4 * Math.min(Math.abs(entry.amount) / top, 1);
    link.path.setAttribute("class", `s-${role}`);
    if (!DATA.circuit) link.path.setAttribute("stroke-width", size.toFixed(2));
    link.arrow?.setAttribute("class", role);
    link.element.classList.toggle("current", entry.current);
    if (link.text && entry.partial !== null) link.text.textContent = number(entry.partial);
    onEdge.set(link, entry.pairs);
  }
}

// ---------------------------------------------------------------- words

function say(lines) {
  const box = $("words");
  box.replaceChildren(...lines.map((text, place) => {
    const element = document.createElement(place ? "p" : "h2");
    element.textContent = text;
    return element;
  }));
}

function overview() {
  const name = nodes[root].name;
  return [`${name} = ${long(nodes[root].value)}`,
    step ? "Point at a card for its chain rule; click to keep it. → and ← step through." : "Step forward: values appear in the order in which they are computed."];
}

function describeStep(index, back) {
  const node = nodes[index];
  if (!back) {
    if (!node.op) return [`${node.name} = ${long(node.value)}`, "An input: its value is given."];
    const names = node.operands.map((x) => (x.node === undefined ? long(x.constant) : nodes[x.node].name));
    const numbers = node.operands.map((x) => factor(x.node === undefined ? x.constant : nodes[x.node].value));
    return [`${node.name} = ${formula(node, names)}`, `= ${formula(node, numbers)}`, `= ${long(node.value)}`];
  }
  const y = nodes[root].name;
  const sums = sweep(back - 1);
  const lines = [`∂${y}/∂${node.name} = ${long(sums[index])}`];
  if (index === root) lines.push("The sweep begins: the derivative of the result with respect to itself.");
  const steps = parentsOf(node);
  if (!steps.length) lines.push("An input: this sum is complete.");
  for (const [parent, place] of steps) {
    const before = sums[parent];
    sums[parent] += flow(index, sums[index], place);
    lines.push(`∂${y}/∂${nodes[parent].name}: ${long(before)} + ∂${y}/∂${node.name} · ${partialName(index, parent)}`
      + ` = ${long(before)} + ${factor(sums[index])} · ${factor(node.partials[place])} → ${long(sums[parent])}`);
  }
  return lines;
}

// For each node: how many paths lead from it to the root, and how many edges they have together.
function pathCounts() {
  const counts = Array(N).fill(0);
  const edges = Array(N).fill(0);
  counts[root] = 1;
  for (let index = root - 1; index >= 0; index--) for (const [child] of users[index]) {
    counts[index] += counts[child];
    edges[index] += edges[child] + counts[child];
  }
  return [counts, edges];
}

function explain(index) {
  const y = nodes[root].name;
  const head = `∂${y}/∂${nodes[index].name} = ${long(gradients[index])}`;
  if (index === root) return [head, `${y} = ${long(nodes[root].value)}: the derivative of the result with respect to itself.`];
  const [count, edges] = pathCounts().map((list) => list[index]);
  const lines = [head];
  if (count <= 8 && edges <= 100) {
    const stack = [[[index, null]]];
    while (stack.length) {
      const path = stack.pop();
      const [here] = path[path.length - 1];
      if (here === root) { lines.push(pathLine(path, lines.length > 1)); continue; }
      for (const [child, place] of users[here]) stack.push([...path, [child, place]]);
    }
  } else {
    lines.push(`${count === 1 ? "1 path" : `${count.toLocaleString("en")} paths`}, grouped by the first edge:`);
    for (const [child, place] of [...users[index]].reverse())
      lines.push(`${lines.length > 2 ? "+ " : ""}∂${y}/∂${nodes[child].name} · ${partialName(child, index)} = ${factor(gradients[child])} · ${factor(nodes[child].partials[place])} = ${long(flow(child, gradients[child], place))}`);
  }
  if (lines.length > 2) lines.push(`= ${long(gradients[index])}`);
  return lines;
}

// What the edges from one card to another say: each local derivative, and what it sends back.
function tellEdge(pairs) {
  const y = nodes[root].name;
  const lines = [];
  for (const [parent, child] of pairs.slice(0, 6)) {
    parentsOf(nodes[child]).filter(([other]) => other === parent).forEach(([, place]) => {
      const factors = [gradients[child], nodes[child].partials[place]];
      if (!lines.length) lines.push(pairs.length > 1 ? `${pairs.length} edges` : `${partialName(child, parent)} = ${long(factors[1])}`);
      lines.push(`contributes ∂${y}/∂${nodes[child].name} · ${partialName(child, parent)} = ${factors.map(factor).join(" · ")} = ${long(flow(child, gradients[child], place))} to ∂${y}/∂${nodes[parent].name}`);
    });
  }
  if (lines.length) say(lines);
}

function pathLine(path, more) {
  const names = [];
  const numbers = [];
  let product = 1;
  for (let k = path.length - 1; k > 0; k--) {
    const [child, place] = path[k];
    names.push(partialName(child, path[k - 1][0]));
    numbers.push(factor(nodes[child].partials[place]));
    product = flow(child, product, place);
  }
  return `${more ? "+ " : ""}${names.join(" · ")} = ${numbers.join(" · ")} = ${long(product)}`;
}

// The nodes on a path from `index` to the root.
function above(index) {
  const found = new Set([index]);
  const stack = [index];
  while (stack.length) for (const [child] of users[stack.pop()]) if (!found.has(child)) { found.add(child); stack.push(child); }
  return found;
}

function look(index) {
  const lit = index === null ? null : above(index);
  svg.classList.toggle("looking", lit !== null);
  for (const card of cards.values()) {
    const on = lit !== null && card.members.some((i) => lit.has(i));
    for (const part of card.parts) part.element.classList.toggle("lit", on);
  }
  for (const [link, pairs] of onEdge) link.element.classList.toggle("lit", lit !== null && pairs.some(([a, b]) => lit.has(a) && lit.has(b)));
  if (index !== null) say(explain(index));
  else if (pinned === null) render();
}

function pin(index) {
  pinned = pinned === index ? null : index;
  for (const card of cards.values()) for (const part of card.parts)
    if (part.element.hasAttribute("role")) part.element.setAttribute("aria-pressed", String(pinned !== null && card.members.includes(pinned)));
  $("unpin").hidden = pinned === null;
  look(pinned);
}

// ---------------------------------------------------------------- collapsing groups

const extraLinks = new Map();

function squeezed(intervals, room) {
  const sorted = intervals.sort((a, b) => a[0] - b[0]);
  const knots = [[-1e6, -1e6]];
  let end = null;
  let shift = 0;
  for (const [from, to] of sorted) {
    if (end !== null && from > end) {
      knots.push([end, end - shift]);
      shift += Math.max(from - end - room, 0);
      knots.push([from, from - shift]);
    }
    end = end === null ? to : Math.max(end, to);
  }
  knots.push([end, end - shift], [1e6, 1e6 - shift]);
  return (x) => {
    let k = 1;
    while (k < knots.length - 1 && knots[k][0] < x) k++;
    const [[x0, y0], [x1, y1]] = [knots[k - 1], knots[k]];
    return x1 === x0 ? y1 : y0 + ((x - x0) * (y1 - y0)) / (x1 - x0);
  };
}

// The groups are collapsed as they were at first, and the layout program has placed them so.
function presetNow() {
  const first = new Set(DATA.collapsed);
  return DATA.preset && first.size === collapsed.size && [...first].every((place) => collapsed.has(place)) ? DATA.preset : null;
}

function arrange() {
  const preset = presetNow();
  const boxes = new Map();
  for (const shape of shapes) {
    const hidden = hiddenBy(DATA.home[shape.card]) >= 0;
    shape.element.classList.toggle("gone", hidden);
    if (!hidden) boxes.set(shape, [shape.x, shape.y, shape.width, shape.height]);
  }
  clusters.forEach((cluster, place) => {
    const outer = cluster.parent < 0 ? -1 : hiddenBy(cluster.parent);
    const shut = collapsed.has(place) && outer < 0;
    cluster.element.classList.toggle("gone", outer >= 0 || shut);
    cluster.label.setAttribute("aria-expanded", String(!shut));
    cluster.card?.remove();
    cluster.card = null;
    if (shut) boxes.set(cluster, closedBox(cluster, place, preset?.boxes[`c${place}`]?.[2]));
  });
  const plain = collapsed.size === 0 || preset !== null;
  const across = DATA.direction === "LR" || DATA.direction === "RL";
  const occupied = [...boxes.values()];
  const pad = 16;
  const fx = plain ? (x) => x : squeezed(occupied.map(([x, , w]) => [x - pad, x + w + pad]), across ? 60 : 24);
  const fy = plain ? (y) => y : squeezed(occupied.map(([, y, , h]) => [y - pad, y + h + pad]), across ? 24 : 40);
  const point = ([x, y]) => [fx(x), fy(y)];
  const placed = new Map();
  for (const [thing, [x, y, w, h]] of boxes) {
    const given = preset?.boxes[thing.rect ? `c${clusters.indexOf(thing)}` : thing.card];
    const [left, upper] = given ?? [fx(x + w / 2) - w / 2, fy(y + h / 2) - h / 2];
    placed.set(thing, [left, upper, w, h]);
    (thing.element && !thing.rect ? thing.element : thing.card).setAttribute("transform", `translate(${left} ${upper})`);
  }
  clusters.forEach((cluster, place) => {
    const [x, y, w, h] = preset?.clusters[place] ?? cluster.box;
    const [[x0, y0], [x1, y1]] = [point([x, y]), point([x + w, y + h])];
    for (const [name, value] of Object.entries({ x: x0, y: y0, width: x1 - x0, height: y1 - y0 })) cluster.rect.setAttribute(name, value);
    cluster.label.setAttribute("x", x0 + 10);
    cluster.label.setAttribute("y", y0 + 17);
  });
  const [lx, ly] = preset ? [preset.legend[0] - DATA.legend[0], preset.legend[1] - DATA.legend[1]] : [0, fy(whole.height) - whole.height];
  legend.setAttribute("transform", `translate(${lx} ${ly})`);
  const size = preset ? preset.size : point([whole.width, whole.height]);
  const room = legend.getBBox();
  view.whole = { width: plain ? size[0] : Math.max(size[0] + pad, room.width + room.x + 16), height: size[1] };
  arrangeLinks(placed, point, across, preset);
  view.fit();
}

function closedBox(cluster, place, given) {
  const members = nodes.map((node, index) => index).filter((index) => {
    for (let s = nodes[index].scope; s >= 0; s = clusters[s].parent) if (s === place) return true;
    return false;
  });
  const inside = new Set(members);
  cluster.results = members.filter((index) => index === root || users[index].some(([child]) => !inside.has(child)));
  if (!cluster.results.length) cluster.results = members.slice(-1);
  const only = cluster.results.length === 1 ? nodes[cluster.results[0]].label : "";
  const title = `▸ ${only ? `${only}   ` : ""}${cluster.name} (${members.length} nodes)`;
  const [x, y, w, h] = cluster.box;
  const width = given ?? Math.min(Math.max(title.length * 7.2 + 16, 120), Math.max(w, 60));
  const group = document.createElementNS(NS, "g");
  group.setAttribute("class", members.includes(root) ? "card closed output" : "card closed");
  const half = width / 2;
  const cell = (role, cx, cy, cw, text, ink) => {
    const rect = document.createElementNS(NS, "rect");
    for (const [name, value] of Object.entries({ class: `${role} s-line`, x: cx, y: cy, width: cw, height: 22 })) rect.setAttribute(name, value);
    const label = document.createElementNS(NS, "text");
    for (const [name, value] of Object.entries({ class: ink, x: cx + cw / 2, y: cy + 15.5 })) label.setAttribute(name, value);
    group.append(rect, label);
    label.textContent = text;
    return label;
  };
  const head = cell("group", 0, 0, width, "", "ink");
  cell("cell", 0, 22, half, "", "value");
  cell("zero", half, 22, half, "", "gradient");
  const border = document.createElementNS(NS, "rect");
  for (const [name, value] of Object.entries({ class: "frame s-line", width, height: 44, rx: 3 })) border.setAttribute(name, value);
  group.append(border);
  extra.append(group);
  fit(head, title);
  toggleable(group, place, `${cluster.name}, ${members.length} nodes, collapsed`);
  group.setAttribute("aria-expanded", "false");
  cluster.card = group;
  return [x + w / 2 - half, y + h / 2 - 22, width, 44];
}

function arrangeLinks(placed, point, across, preset) {
  for (const link of extraLinks.values()) link.element.remove();
  extraLinks.clear();
  const drawn = new Map((preset?.links ?? []).map((link) => [link[2] < 0 ? `${link[0]}>${link[1]}` : link.slice(0, 3).join(">"), link.slice(3)]));
  const box = new Map();
  for (const [thing, where] of placed) box.set(thing.card && thing.rect ? `c${clusters.indexOf(thing)}` : thing.element.id.slice(svg.id.length + 1), where);
  for (const link of links) {
    const gone = [link.source, link.target].some((key) => hiddenBy(DATA.home[key]) >= 0);
    link.element.classList.toggle("gone", gone);
    if (gone) continue;
    const [d, points, at] = drawn.get(`${link.source}>${link.target}>${link.place}`) ?? [link.d, link.points, link.at];
    const move = (text) => text.replace(/(-?[\d.]+),(-?[\d.]+)/g, (_, x, y) => point([Number(x), Number(y)]).map((v) => v.toFixed(1)).join(","));
    link.path.setAttribute("d", move(d));
    link.arrow?.setAttribute("points", move(points));
    if (link.text && at) {
      const [x, y] = point(at);
      link.text.setAttribute("x", x);
      link.text.setAttribute("y", at === link.at ? y : y + 4);
    }
  }
  if (!collapsed.size) return;
  nodes.forEach((node, child) => parentsOf(node).forEach(([parent]) => {
    const [source, target] = [owner(parent), owner(child)];
    if (source === target || !(source.startsWith("c") || target.startsWith("c"))) return;
    const key = `${source}>${target}`;
    if (extraLinks.has(key)) return;
    const from = box.get(`${source}_w`) ?? box.get(source);
    const to = box.get(target);
    if (from && to) extraLinks.set(key, drawn.has(key) ? hang(...drawn.get(key)) : drawLink(from, to, across));
  }));
}

function drawLink(from, to, across) {
  const forward = DATA.direction === "LR" || DATA.direction === "TB";
  const side = ([x, y, w, h], out) => (across ? [out === forward ? x + w : x, y + h / 2] : [x + w / 2, out === forward ? y + h : y]);
  const [a, b] = [side(from, true), side(to, false)];
  const reach = (forward ? 1 : -1) * Math.max(25, Math.abs(across ? b[0] - a[0] : b[1] - a[1]) / 2);
  const tip = across ? [b[0] - Math.sign(reach) * 7, b[1]] : [b[0], b[1] - Math.sign(reach) * 7];
  const [c, d] = across ? [[a[0] + reach, a[1]], [tip[0] - reach, tip[1]]] : [[a[0], a[1] + reach], [tip[0], tip[1] - reach]];
  const w = 3.2;
  return hang(`M${a}C${c} ${d} ${tip}`, across ? `${tip[0]},${tip[1] - w} ${b} ${tip[0]},${tip[1] + w}` : `${tip[0] - w},${tip[1]} ${b} ${tip[0] + w},${tip[1]}`);
}

function hang(d, points) {
  const element = document.createElementNS(NS, "g");
  const path = document.createElementNS(NS, "path");
  const arrow = document.createElementNS(NS, "polygon");
  element.setAttribute("class", "link");
  path.setAttribute("d", d);
  arrow.setAttribute("points", points);
  element.append(path, arrow);
  extra.before(element);
  return { element, path, arrow, text: null };
}

function toggle(place) {
  if (collapsed.has(place)) collapsed.delete(place);
  else collapsed.add(place);
  arrange();
  render();
  (clusters[place].card ?? clusters[place].label).focus();
}

function toggleable(element, place, label) {
  for (const [name, value] of Object.entries({ role: "button", tabindex: "0", "aria-label": label })) element.setAttribute(name, value);
  element.addEventListener("click", () => toggle(place));
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    toggle(place);
  });
}

// ---------------------------------------------------------------- looking around

const view = {
  whole, x: 0, y: 0, zoom: 1,
  apply() {
    const stage = $("stage");
    const [w, h] = [stage.clientWidth, stage.clientHeight];
    svg.setAttribute("viewBox", `${this.x} ${this.y} ${w / this.zoom} ${h / this.zoom}`);
    svg.setAttribute("width", w);
    svg.setAttribute("height", h);
    const paper = svg.querySelector(".paper");
    for (const [name, value] of Object.entries({ x: this.x, y: this.y, width: w / this.zoom, height: h / this.zoom })) paper.setAttribute(name, value);
  },
  fit() {
    const stage = $("stage");
    this.zoom = Math.min(stage.clientWidth / this.whole.width, stage.clientHeight / this.whole.height, 1.4);
    this.x = (this.whole.width - stage.clientWidth / this.zoom) / 2;
    this.y = (this.whole.height - stage.clientHeight / this.zoom) / 2;
    this.apply();
  },
  by(scale, px = $("stage").clientWidth / 2, py = $("stage").clientHeight / 2) {
    const next = Math.min(Math.max(this.zoom * scale, 0.05), 8);
    this.x += px / this.zoom - px / next;
    this.y += py / this.zoom - py / next;
    this.zoom = next;
    this.apply();
  },
};

function go(to) {
  step = Math.min(Math.max(to, 0), 2 * N);
  if (pinned !== null) pin(pinned);
  render();
}

function play(on = timer === null) {
  clearInterval(timer);
  timer = null;
  if (on) {
    if (step === 2 * N) go(0);
    timer = setInterval(() => (step < 2 * N ? go(step + 1) : play(false)), 700);
  }
  $("play").textContent = timer === null ? "▶ play" : "❚❚ pause";
}

function search(next) {
  const wanted = $("search").value.trim().toLowerCase();
  const hits = [];
  for (const card of cards.values()) {
    const words = card.members.flatMap((i) => [nodes[i].name, nodes[i].op, nodes[i].symbol]).join(" ").toLowerCase();
    const hit = wanted !== "" && words.includes(wanted);
    for (const part of card.parts) part.element.classList.toggle("found", hit);
    if (hit) hits.push(card);
  }
  $("found").textContent = wanted ? `${hits.length} found` : "";
  if (next && hits.length) {
    const at = hits.findIndex((card) => card.parts[0].element === document.activeElement);
    hits[(at + 1) % hits.length].parts[0].element.focus();
  }
}

// ---------------------------------------------------------------- inputs

function buildInputs() {
  const list = $("inputs");
  if (!DATA.live) { $("live").hidden = true; return; }
  let heading = "";
  const inputs = nodes.map((node, index) => index).filter((index) => !nodes[index].op);
  inputs.sort((a, b) => nodes[a].scope - nodes[b].scope || a - b);
  inputs.forEach((index) => {
    const node = nodes[index];
    const reach = Math.max(2, 2 * Math.abs(node.value));
    const path = [];
    for (let s = node.scope; s >= 0; s = clusters[s].parent) path.unshift(clusters[s].name);
    if (path.join(" / ") !== heading) {
      heading = path.join(" / ");
      const title = document.createElement("h3");
      title.textContent = heading;
      if (heading) list.append(title);
    }
    const row = document.createElement("div");
    const name = document.createElement("label");
    const slider = document.createElement("input");
    const field = document.createElement("input");
    name.textContent = node.name;
    name.htmlFor = `field${index}`;
    Object.assign(slider, { type: "range", min: node.value - reach, max: node.value + reach, step: "any", value: node.value });
    slider.setAttribute("aria-label", `slider for ${node.name}`);
    Object.assign(field, { type: "number", step: "any", id: `field${index}`, value: node.value });
    slider.addEventListener("input", () => set(index, Number(slider.value)));
    field.addEventListener("input", () => { if (field.value !== "" && Number.isFinite(Number(field.value))) set(index, Number(field.value), false); });
    row.append(name, slider, field);
    list.append(row);
    rows.set(index, { slider, field, start: node.value });
  });
  $("restore").addEventListener("click", () => {
    rows.forEach((row, index) => { nodes[index].value = row.start; show(index); });
    recompute();
  });
}

const rows = new Map();

function show(index, field = true) {
  const row = rows.get(index);
  if (!row) return;
  row.slider.value = nodes[index].value;
  if (field) row.field.value = Number(nodes[index].value.toPrecision(6));
}

function set(index, value, field = true) {
  nodes[index].value = value;
  show(index, field);
  recompute();
  if (pinned !== null) look(pinned);
}

// ---------------------------------------------------------------- frames of a training run

function buildFrames() {
  if (!DATA.frames) return;
  $("training").hidden = false;
  const slider = $("frame");
  slider.max = DATA.frames.length - 1;
  const losses = [];
  const leaves = nodes.map((node, index) => index).filter((index) => !nodes[index].op);
  const constants = nodes.flatMap((node) => node.operands.filter((x) => x.node === undefined));
  const to = (place) => {
    const [, values, fixed] = DATA.frames[place];
    leaves.forEach((index, k) => { nodes[index].value = read(values[k]); show(index); });
    constants.forEach((operand, k) => { operand.constant = read(fixed[k]); });
    recompute();
    if (pinned !== null) look(pinned);
  };
  const write = (place) => {
    $("frame-where").textContent = `${DATA.frames[place][0]}: ${nodes[root].name} = ${long(nodes[root].value)}`;
    $("spark-dot").setAttribute("cx", place * (300 / Math.max(DATA.frames.length - 1, 1)));
    $("spark-dot").setAttribute("cy", height(losses[place]));
  };
  DATA.frames.forEach((_, place) => { to(place); losses.push(nodes[root].value); });
  const finite = losses.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const height = (x) => (Number.isFinite(x) ? 38 - (34 * (x - low)) / (high - low || 1) : 4);
  $("spark-line").setAttribute("points", losses.map((x, k) => `${k * (300 / Math.max(losses.length - 1, 1))},${height(x)}`).join(" "));
  const move = (place) => { slider.value = place; to(place); write(place); };
  slider.addEventListener("input", () => move(Number(slider.value)));
  let run = null;
  $("frame-play").addEventListener("click", () => {
    if (run !== null) { clearInterval(run); run = null; $("frame-play").textContent = "▶ play training"; return; }
    if (Number(slider.value) === DATA.frames.length - 1) move(0);
    $("frame-play").textContent = "❚❚ pause";
    run = setInterval(() => {
      if (Number(slider.value) < DATA.frames.length - 1) move(Number(slider.value) + 1);
      else $("frame-play").click();
    }, Math.max(40, Math.min(600, 12000 / DATA.frames.length)));
  });
  move(DATA.frames.length - 1);
}

// ---------------------------------------------------------------- events

for (const card of cards.values()) for (const part of card.parts) {
  const element = part.element;
  if (!card.members.length) continue;
  const index = card.results[card.results.length - 1];
  element.addEventListener("pointerenter", () => { if (pinned === null) look(index); });
  element.addEventListener("pointerleave", () => { if (pinned === null) look(null); });
  element.addEventListener("click", () => pin(index));
  if (!element.classList.contains("card")) continue;
  element.setAttribute("tabindex", "0");
  element.setAttribute("role", "button");
  element.setAttribute("aria-pressed", "false");
  element.addEventListener("focus", () => { if (pinned === null && element.matches(":focus-visible")) look(index); });
  element.addEventListener("blur", () => { if (pinned === null) look(null); });
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    pin(index);
  });
}
for (const link of links) {
  link.element.addEventListener("pointerenter", () => { if (pinned === null && onEdge.has(link)) tellEdge(onEdge.get(link)); });
  link.element.addEventListener("pointerleave", () => { if (pinned === null) render(); });
}
clusters.forEach((cluster, place) => {
  cluster.label.textContent = `▾ ${cluster.label.textContent}`;
  toggleable(cluster.label, place, `${cluster.name}, ${cluster.size} nodes`);
});
const actions = { reset: () => go(0), back: () => go(step - 1), next: () => go(step + 1), play: () => play(), values: () => go(N), all: () => go(2 * N), unpin: () => pin(pinned), in: () => view.by(1.25), out: () => view.by(0.8), fit: () => view.fit() };
for (const [id, action] of Object.entries(actions)) $(id).addEventListener("click", action);
$("step").max = String(2 * N);
$("step").addEventListener("input", () => go(Number($("step").value)));
$("search").addEventListener("input", () => search(false));
$("search").addEventListener("keydown", (event) => { if (event.key === "Enter") search(true); });
const keys = { ArrowRight: actions.next, ArrowLeft: actions.back, Home: actions.reset, End: actions.all, " ": actions.play, "+": actions.in, "=": actions.in, "-": actions.out, 0: actions.fit, Escape: () => { if (pinned !== null) pin(pinned); }, "/": () => $("search").focus() };
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, summary") || (event.key === " " && event.target.closest("button"))) { if (event.key === "Escape") event.target.blur(); return; }
  const action = keys[event.key];
  if (action) { event.preventDefault(); action(); }
});
$("stage").addEventListener("wheel", (event) => {
  event.preventDefault();
  const box = $("stage").getBoundingClientRect();
  view.by(Math.exp(-event.deltaY / 500), event.clientX - box.left, event.clientY - box.top);
}, { passive: false });
let drag = null;
$("stage").addEventListener("pointerdown", (event) => { if (!event.target.closest(".card, .cluster-box text")) drag = [event.clientX, event.clientY]; });
window.addEventListener("pointermove", (event) => {
  if (!drag) return;
  view.x -= (event.clientX - drag[0]) / view.zoom;
  view.y -= (event.clientY - drag[1]) / view.zoom;
  drag = [event.clientX, event.clientY];
  view.apply();
});
window.addEventListener("pointerup", () => { drag = null; });
window.addEventListener("resize", () => view.fit());
buildInputs();
arrange();
refresh();
buildFrames();
