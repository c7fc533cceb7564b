"use strict";
(() => {
  const { runs, served } = JSON.parse(document.getElementById("data").textContent);
  const alone = runs.length === 1;
  const curves = runs[0].curves;
  const steps = [...new Set(runs.flatMap((run) => run.curves.step))].sort((a, b) => a - b);
  const place = document.getElementById("charts");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  const number = (value) => {
    if (value == null) return "–";
    const size = Math.abs(value);
    if (size !== 0 && size < 1e-3) return value.toExponential(2);
    if (size >= 1000) return Math.round(value).toLocaleString("en-US");
    return String(Number(value.toPrecision(4)));
  };
  const percent = (value) => (value == null ? "–" : `${(100 * value).toFixed(1)} %`);
  const range = (values) => {
    const seen = values.filter((value) => value != null && value > 0);
    return seen.length === 0 ? 1 : Math.max(...seen) / Math.min(...seen);
  };
  // Single measurements are marked as long as they stand apart.
  const few = (values) => values.filter((value) => value != null).length <= 80;
  const filled = (values) => values.some((value) => value != null);

  // Where a curve has no value under the cursor, its readout is the nearest one that it has.
  const nearest = (u, series, index) => {
    const values = u.data[series];
    for (let away = 0; away < values.length; away++) {
      if (values[index - away] != null) return index - away;
      if (values[index + away] != null) return index + away;
    }
    return index;
  };

  const shares = () => {
    const parts = [
      { label: "data and forward", colour: "one", values: curves.forward },
      { label: "backward", colour: "two", values: curves.backward },
      { label: "optimizer", colour: "three", values: curves.optimizer },
      { label: "exchange", colour: "four", values: curves.exchange },
    ];
    const height = steps.map(() => 0);
    for (const part of parts) {
      part.stacked = part.values.map((value, i) => (height[i] += value ?? 0));
    }
    // The highest is painted first, the lower ones over it.
    return parts.reverse().map((part) => ({
      label: part.label,
      colour: part.colour,
      values: part.stacked,
      shown: part.values,
      format: percent,
      area: true,
    }));
  };

  const single = () => [
    {
      title: "Loss",
      note: "of each round's examples; held out: of the moving average of the weights",
      wide: true,
      logarithmic: range(curves.loss.concat(curves.heldOut)) > 8,
      series: [
        { label: "training, each round", colour: "raw", values: curves.loss, width: 1 },
        { label: `training, mean of ${curves.smoothing} rounds`, colour: "accent", values: curves.smoothLoss, width: 2 },
        { label: "held out", colour: "held-out", values: curves.heldOut, width: 2 },
      ],
    },
    {
      title: "Learning rate",
      series: [{ label: "learning rate", colour: "accent", values: curves.learningRate, width: 2 }],
      zero: true,
    },
    {
      title: "Gradient norm",
      note: "before clipping",
      logarithmic: range(curves.gradientNorm) > 20,
      series: [{ label: "norm", colour: "accent", values: curves.gradientNorm, width: 1.5 }],
    },
    {
      title: "Speed",
      note: "examples a second, all workers",
      series: [{ label: "examples/s", colour: "accent", values: curves.examplesPerSecond, width: 1.5 }],
      zero: true,
    },
    { title: "Where the time goes", note: "shares of a round's wall clock", series: shares(), share: true, double: true },
    {
      title: "Memory",
      note: "MiB resident, process of worker 0",
      series: [{ label: "MiB", colour: "accent", values: curves.memory, width: 2 }],
      zero: true,
    },
  ];

  // One figure of every run, over the steps of all.
  const beside = () => {
    const places = new Map(steps.map((step, i) => [step, i]));
    const colours = ["one", "four", "three", "two", "raw", "ink"];
    const columns = (name) =>
      runs.map((run, i) => {
        const values = steps.map(() => null);
        run.curves.step.forEach((step, j) => (values[places.get(step)] = run.curves[name][j]));
        return { label: run.name, colour: colours[i % colours.length], values, width: 2 };
      });
    const loss = columns("smoothLoss");
    const heldOut = columns("heldOut");
    const logarithmic = (series) => range(series.flatMap((one) => one.values)) > 8;
    return [
      { title: "Held-out loss", wide: true, logarithmic: logarithmic(heldOut), series: heldOut },
      { title: "Training loss", note: "means over some rounds", wide: true, logarithmic: logarithmic(loss), series: loss },
      { title: "Learning rate", series: columns("learningRate"), zero: true },
      { title: "Speed", note: "examples a second, all workers", series: columns("examplesPerSecond"), zero: true },
      { title: "Exchange", note: "share of a round's wall clock", series: columns("exchange").map((one) => ({ ...one, format: percent })), zero: true },
    ];
  };

  const charts = alone ? single() : beside();

  let shownStep = null;

  function plot(chart) {
    const ink = colour("muted");
    const grid = { stroke: colour("line"), width: 1 };
    const font = '12px system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif';
    const axis = { stroke: ink, font, grid, ticks: { ...grid, size: 4 } };
    const y = {};
    if (chart.share) y.range = [0, 1];
    else if (chart.zero) y.range = (u, low, high) => [0, high > 0 ? high * 1.08 : 1];
    else if (chart.logarithmic) {
      y.distr = 3;
      // The axis is marked from its lower end on: that has one digit, and so have the marks.
      const digit = (value) => 10 ** Math.floor(Math.log10(value));
      y.range = (u, low, high) => [Math.floor(low / digit(low)) * digit(low), high * 1.15];
    }
    const last = steps.length - 1;
    const options = {
      width: chart.body.clientWidth,
      height: chart.wide ? Math.min(380, Math.max(260, chart.body.clientWidth * 0.5)) : 190,
      padding: [10, 24, 0, 0],
      cursor: { sync: { key: "run" }, dataIdx: nearest, points: { size: 7, fill: (u, i) => colour(chart.series[i - 1].colour) }, y: false },
      scales: { x: { time: false }, y },
      axes: [
        { ...axis, values: (u, marks) => marks.map((mark) => (mark % 1 === 0 ? mark.toLocaleString("en-US") : "")), size: 30 },
        {
          ...axis,
          size: 58,
          values: (u, marks) =>
            marks.map((mark) => (mark == null ? "" : chart.share ? `${Math.round(100 * mark)} %` : number(mark))),
        },
      ],
      series: [
        { label: "step", value: (u, step) => number(step) },
        ...chart.series.map((series) => ({
          label: series.label,
          stroke: colour(series.colour),
          fill: series.area ? colour(series.colour) : undefined,
          width: series.area ? 0 : series.width,
          points: { show: !series.area && few(series.values), size: 6, fill: colour("card") },
          spanGaps: true,
          value: (u, value, column, index) =>
            (series.format ?? number)(index == null ? null : (series.shown ?? series.values)[index]),
        })),
      ],
      hooks: {
        // Without a pointer, the readout is the newest value.
        setCursor: [(u) => u.cursor.idx == null && u.setLegend({ idxs: u.data.map((_, i) => nearest(u, i, last)) })],
        draw: [
          (u) => {
            if (!chart.wide || shownStep == null) return;
            const x = Math.round(u.valToPos(shownStep, "x", true));
            const { ctx, bbox } = u;
            ctx.save();
            ctx.strokeStyle = ink;
            ctx.setLineDash([4, 4]);
            ctx.beginPath();
            ctx.moveTo(x, bbox.top);
            ctx.lineTo(x, bbox.top + bbox.height);
            ctx.stroke();
            ctx.restore();
          },
        ],
      },
    };
    chart.plot?.destroy();
    chart.plot = new uPlot(options, [steps, ...chart.series.map((series) => series.values)], chart.body);
    chart.plot.setLegend({ idxs: chart.plot.data.map((_, i) => nearest(chart.plot, i, last)) });
  }

  function add(chart) {
    const card = place.appendChild(document.createElement("div"));
    card.className = `chart ${chart.wide ? "wide" : ""} ${chart.double ? "double" : ""}`;
    const head = card.appendChild(document.createElement("div"));
    head.className = "chart-head";
    const title = head.appendChild(document.createElement("h3"));
    title.append(chart.title);
    if (chart.note) {
      const note = title.appendChild(document.createElement("small"));
      note.append(` ${chart.note}`);
    }
    if (chart.wide) {
      const label = head.appendChild(document.createElement("label"));
      const box = label.appendChild(document.createElement("input"));
      box.type = "checkbox";
      box.checked = chart.logarithmic;
      box.addEventListener("change", () => {
        chart.logarithmic = box.checked;
        plot(chart);
      });
      label.append(" logarithmic");
    }
    chart.body = card.appendChild(document.createElement("div"));
    plot(chart);
    let width = chart.body.clientWidth;
    new ResizeObserver(() => {
      if (chart.body.clientWidth !== width) {
        width = chart.body.clientWidth;
        // After the notification: a change of size within it would ask for another.
        requestAnimationFrame(() => chart.plot.setSize({ width, height: chart.plot.height }));
      }
    }).observe(chart.body);
  }

  function slide() {
    const input = document.getElementById("grid");
    if (!input) return;
    const columns = [...document.querySelectorAll(".grids")].map((grids) => [...grids.querySelectorAll("figure")]);
    const stepOf = (figure) => Number(figure.dataset.step);
    const shown = [...new Set(columns.flat().map(stepOf))].sort((a, b) => a - b);
    const output = document.querySelector(".slider output");
    const show = () => {
      shownStep = shown[input.value];
      for (const figures of columns) {
        const reached = figures.filter((figure) => stepOf(figure) <= shownStep);
        const newest = reached[reached.length - 1];
        figures.forEach((figure) => (figure.hidden = figure !== newest));
      }
      output.textContent = shownStep.toLocaleString("en-US");
      input.setAttribute("aria-valuetext", `step ${output.textContent}`);
      charts.forEach((chart) => chart.wide && chart.plot?.redraw(false));
    };
    document.querySelector(".slider").hidden = false;
    // A page that loads itself anew stays where its reader was, unless that was at the end.
    const kept = served ? sessionStorage.getItem("grid") : null;
    if (kept !== null && shown.includes(Number(kept))) input.value = shown.indexOf(Number(kept));
    input.addEventListener("input", () => {
      show();
      const last = Number(input.value) === shown.length - 1;
      if (served) last ? sessionStorage.removeItem("grid") : sessionStorage.setItem("grid", shownStep);
    });
    show();
  }

  // A served page asks whether there is more to show, and then loads itself anew.
  async function follow() {
    let known = null;
    const ask = async () => {
      try {
        const answer = await fetch("/state", { cache: "no-store" });
        const state = answer.ok ? await answer.text() : known;
        if (known !== null && state !== known) location.reload();
        known = state;
      } catch {
        // The server is gone or busy: what is shown stays.
      }
    };
    await ask();
    setInterval(ask, 5000);
  }

  if (steps.length === 0) {
    document.getElementById("no-rounds").hidden = false;
  } else {
    const drawn = charts.filter((chart) => chart.series.some((series) => filled(series.shown ?? series.values)));
    drawn.forEach(add);
    const hint = place.insertAdjacentElement("afterend", document.createElement("p"));
    hint.className = "hint";
    hint.textContent =
      "Point at a curve to read it; drag to zoom, double-click to zoom out, click a name to hide its curve." +
      (document.getElementById("grid") ? " The dashed line is the step of the sample grid below." : "");
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach(plot));
  }
  slide();
  if (served) follow();
})();
