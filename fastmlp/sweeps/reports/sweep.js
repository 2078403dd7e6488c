"use strict";
// Filters the ranking and the parallel coordinates, and compares the curves of chosen runs.
(() => {
  const data = JSON.parse(document.getElementById("sweep-data").textContent);
  const runs = new Map(data.runs.map((run) => [run.rank, run]));
  const plot = d3.select("#parallel");
  const rows = new Map();
  for (const row of document.querySelectorAll("#ranking tbody tr")) {
    rows.set(Number(row.dataset.rank), row);
  }
  const lines = new Map();
  for (const line of document.querySelectorAll("#parallel .run")) {
    lines.set(Number(line.dataset.rank), line);
  }
  const COLOURS = ["#d55e00", "#3a9bd9", "#009e73", "#cc79a7", "#e69f00", "#8a63d2", "#8f7a00"];
  const REACH = 14; // units of the plot between the pointer and a line that it selects

  // The tooltip of both plots.
  const tip = d3.select("main").append("div").attr("class", "tip").attr("hidden", "");
  const showTip = (event, text) => {
    tip.attr("hidden", null).text(text);
    const width = tip.node().offsetWidth;
    const left = Math.min(event.pageX + 12, window.scrollX + document.documentElement.clientWidth
      - width - 6);
    tip.style("left", `${Math.max(6, left)}px`).style("top", `${event.pageY + 14}px`);
  };
  const hideTip = () => tip.attr("hidden", "");

  // Filters: a text, and a range on any axis.
  const ranges = new Map();
  const search = document.getElementById("filter");
  let visible = new Set(rows.keys());
  const passes = (rank) => {
    const row = rows.get(rank), run = runs.get(rank);
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const text = row.textContent.toLowerCase();
    if (!words.every((word) => text.includes(word))) return false;
    return [...ranges].every(
      ([axis, [low, high]]) => run && run.y[axis] >= low && run.y[axis] <= high);
  };
  const applyFilters = () => {
    visible = new Set([...rows.keys()].filter(passes));
    rows.forEach((row, rank) => { row.hidden = !visible.has(rank); });
    lines.forEach((line, rank) => line.classList.toggle("out", !visible.has(rank)));
    const active = ranges.size || search.value;
    document.getElementById("shown").textContent =
      active ? `${visible.size} of ${rows.size} configurations` : "";
    document.getElementById("clear").hidden = !active;
  };
  search.addEventListener("input", applyFilters);

  const brush = d3.brushY().on("brush end", function (event) {
    const axis = Number(this.dataset.axis);
    if (event.selection) ranges.set(axis, event.selection);
    else ranges.delete(axis);
    applyFilters();
  });
  data.x.forEach((x, i) => {
    brush.extent([[x - 12, data.top - 4], [x + 12, data.top + data.height + data.bottom]]);
    plot.append("g").attr("class", "brush").attr("data-axis", i).call(brush);
  });
  document.getElementById("clear").addEventListener("click", () => {
    search.value = "";
    plot.selectAll(".brush").call(brush.move, null);
    applyFilters();
  });

  // The line under the pointer.
  const distance = (run, [px, py]) => {
    const i = Math.max(0, Math.min(data.x.length - 2,
      data.x.findIndex((x) => x >= px) - 1));
    const share = Math.max(0, Math.min(1, (px - data.x[i]) / (data.x[i + 1] - data.x[i])));
    return Math.abs(run.y[i] + share * (run.y[i + 1] - run.y[i]) - py);
  };
  const nearest = (event) => {
    const point = d3.pointer(event, plot.node());
    let best = null, least = REACH;
    for (const run of data.runs) {
      if (!visible.has(run.rank)) continue;
      const d = distance(run, point);
      if (d < least) [best, least] = [run, d];
    }
    return best;
  };
  const describe = (run) => `${run.rank}  ${run.name}: ${data.metric} ${run.value}`;
  const highlight = (rank) => {
    lines.forEach((line, other) => line.classList.toggle("hover", other === rank));
    rows.forEach((row, other) => row.classList.toggle("hover", other === rank));
    document.querySelectorAll("#comparison .curve").forEach((curve) =>
      curve.classList.toggle("hover", Number(curve.dataset.rank) === rank));
  };
  const unhighlight = () => { highlight(null); hideTip(); };
  plot.on("pointermove", (event) => {
    const run = nearest(event);
    highlight(run && run.rank);
    if (run) showTip(event, describe(run)); else hideTip();
  }).on("pointerleave", unhighlight).on("click", (event) => {
    const run = nearest(event);
    if (run) choose(run.rank, !chosen.has(run.rank));
  });

  // Chosen runs, and their curves in one plot.
  const chosen = new Map(); // ranks to colours
  const boxes = new Map();
  rows.forEach((row, rank) => {
    row.addEventListener("pointerenter", () => highlight(rank));
    row.addEventListener("pointerleave", unhighlight);
    if (!runs.has(rank)) return;
    const box = document.createElement("input");
    box.type = "checkbox";
    box.setAttribute("aria-label", `compare the curves of ${rank}`);
    box.addEventListener("change", () => choose(rank, box.checked));
    row.cells[0].prepend(box, " ");
    boxes.set(rank, box);
  });
  const freeColour = () => {
    const used = [...chosen.values()];
    const counts = COLOURS.map((colour) => used.filter((other) => other === colour).length);
    return COLOURS[counts.indexOf(Math.min(...counts))];
  };
  const choose = (rank, on) => {
    if (on) chosen.set(rank, chosen.get(rank) || freeColour());
    else chosen.delete(rank);
    boxes.get(rank).checked = on;
    drawCurves();
  };

  const metrics = [...new Set(data.runs.flatMap((run) => Object.keys(run.curves)))];
  const select = document.getElementById("metric");
  for (const metric of metrics) select.append(new Option(`validation ${metric}`, metric));
  if (metrics.includes(data.curve)) select.value = data.curve;
  const logarithmic = document.getElementById("logarithmic");
  const chart = d3.select("#comparison");
  const WIDTH = 760, HEIGHT = 320, LEFT = 56, RIGHT = 14, TOP = 12, BOTTOM = 34;
  let scales = null;

  const pointsOf = (run) => {
    const curve = run.curves[select.value];
    if (!curve) return [];
    return curve.values.map((value, i) => [curve.first + i * curve.step, value])
      .filter(([, value]) => value !== null);
  };
  const drawCurves = () => {
    const shown = [...chosen].map(([rank, colour]) =>
      ({ run: runs.get(rank), colour, points: pointsOf(runs.get(rank)) }));
    const points = shown.flatMap((entry) => entry.points);
    chart.selectAll("*").remove();
    scales = null;
    drawLegend(shown);
    if (!points.length) return;
    const values = points.map(([, value]) => value), low = Math.min(...values);
    const isLog = logarithmic.checked && low > 0;
    const x = d3.scaleLinear([1, Math.max(2, ...points.map(([epoch]) => epoch))],
      [LEFT, WIDTH - RIGHT]);
    const y = (isLog ? d3.scaleLog() : d3.scaleLinear())
      .domain([low, Math.max(...values)]).range([HEIGHT - BOTTOM, TOP]).nice();
    if (y.domain()[0] === y.domain()[1]) y.domain([low - 0.5, low + 0.5]);
    scales = { x, y };
    for (const value of y.ticks(isLog ? 4 : 6)) {
      chart.append("path").attr("class", "grid").attr("d", `M${LEFT} ${y(value)}H${WIDTH - RIGHT}`);
      const text = isLog ? Number(value.toPrecision(3)) : y.tickFormat(6)(value);
      chart.append("text").attr("x", LEFT - 8).attr("y", y(value) + 4)
        .attr("text-anchor", "end").text(text);
    }
    for (const epoch of x.ticks(8).filter(Number.isInteger)) {
      chart.append("text").attr("x", x(epoch)).attr("y", HEIGHT - BOTTOM + 18)
        .attr("text-anchor", "middle").text(epoch);
    }
    chart.append("text").attr("x", WIDTH - RIGHT).attr("y", HEIGHT - 2)
      .attr("text-anchor", "end").text("epoch");
    for (const { run, colour, points: own } of shown) {
      if (own.length === 1) {
        chart.append("circle").attr("class", "curve").attr("data-rank", run.rank).attr("r", 4)
          .attr("cx", x(own[0][0])).attr("cy", y(own[0][1])).attr("fill", colour);
      } else if (own.length) {
        const path = own.map(([epoch, value]) => `${x(epoch).toFixed(1)} ${y(value).toFixed(1)}`);
        chart.append("path").attr("class", "curve").attr("data-rank", run.rank)
          .attr("stroke", colour).attr("d", `M${path.join("L")}`);
      }
    }
  };
  const drawLegend = (shown) => {
    const legend = d3.select("#chosen");
    legend.selectAll("*").remove();
    for (const { run, colour } of shown) {
      const item = legend.append("li").on("pointerenter", () => highlight(run.rank))
        .on("pointerleave", unhighlight);
      item.append("i").style("background", colour);
      item.append("span").text(describe(run));
      item.append("button").attr("type", "button").attr("aria-label", `remove ${run.rank}`)
        .text("×").on("click", () => choose(run.rank, false));
    }
  };
  chart.on("pointermove", (event) => {
    if (!scales) return;
    const [px, py] = d3.pointer(event, chart.node());
    let best = null, least = REACH;
    for (const rank of chosen.keys()) {
      for (const [epoch, value] of pointsOf(runs.get(rank))) {
        const d = Math.hypot(scales.x(epoch) - px, scales.y(value) - py);
        if (d < least) [best, least] = [{ rank, epoch, value }, d];
      }
    }
    highlight(best && best.rank);
    if (!best) { hideTip(); return; }
    const run = runs.get(best.rank);
    showTip(event, `${run.rank}  ${run.name}: ${select.value} ${best.value}, epoch ${best.epoch}`);
  }).on("pointerleave", unhighlight);
  select.addEventListener("change", drawCurves);
  logarithmic.addEventListener("change", drawCurves);

  for (const element of document.querySelectorAll(".scripted")) element.hidden = false;
  document.getElementById("compared").hidden = !metrics.length;
  for (const run of data.runs.slice(0, 3)) choose(run.rank, true);
  applyFilters();
})();
