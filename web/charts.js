// Draws every <figure data-chart> on a page from the JSON data block within it. The table beside a chart says the same
// without a script. What a data block holds is told in src/lotus_server/http/web/README.md.
import { BarChart, LineChart, PieChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([BarChart, LineChart, PieChart, AriaComponent, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

const drawn = new Map();

// A canvas takes colours and fonts as values only: an element of the page says what the theme's variables come to.
function color(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function palette() {
  const names = ["teal", "orange", "purple", "pink", "lime", "cyan", "yellow", "red", "indigo"];
  return [color("--lotus-chart"), ...names.map((name) => color(`--tblr-${name}`))];
}

function formatter(spec) {
  const language = document.documentElement.dataset.locale || "en";
  const options = spec.currency ? { style: "currency", currency: spec.currency } : { maximumFractionDigits: 6 };
  const whole = new Intl.NumberFormat(language, options);
  const short = new Intl.NumberFormat(language, { ...options, notation: "compact", maximumFractionDigits: 1 });
  const unit = spec.unit ? ` ${spec.unit}` : "";
  const place = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 2 });
  return {
    value: (x) => (x == null ? "–" : whole.format(x) + unit),
    axis: (x) => short.format(x),
    place: (x) => place.format(x),
  };
}

// Days come as 2026-01-31, and are read as people of the organization's country write them; months, where each is one.
const DAY = /^\d{4}-\d\d-\d\d$/;
function placeName(spec) {
  if (spec.x_kind === "number" || !spec.x.length || !spec.x.every((each) => DAY.test(each))) return undefined;
  const areMonths = spec.x.length > 1 && spec.x.every((each) => each.endsWith("-01"));
  const parts = areMonths ? { month: "short", year: "numeric" } : { month: "short", day: "numeric" };
  const written = new Intl.DateTimeFormat(document.documentElement.dataset.locale || "en", { ...parts, timeZone: "UTC" });
  return (day) => written.format(new Date(`${day}T00:00:00Z`));
}

function axes(spec, format) {
  const line = color("--tblr-border-color");
  const label = { color: color("--tblr-secondary-color"), fontSize: 12 };
  const quiet = { axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: label };
  const numbers = { type: "value", ...quiet, axisLabel: { ...label, formatter: format.axis } };
  const values = { ...numbers, splitLine: { lineStyle: { color: color("--tblr-secondary-color"), opacity: 0.15 } } };
  const isLine = spec.kind === "line" || spec.kind === "area";
  const names =
    spec.x_kind === "number"
      ? { ...numbers, axisLabel: { ...label, formatter: format.place }, splitLine: { show: false } }
      : { type: "category", data: spec.x, ...quiet, axisLabel: { ...label, formatter: placeName(spec) }, boundaryGap: !isLine };
  return spec.kind === "rows" ? { xAxis: values, yAxis: { ...names, inverse: true } } : { xAxis: names, yAxis: values };
}

function colorOf(name) {
  if (name === "transparent") return name;
  return color(name === "primary" ? "--lotus-chart" : `--tblr-${name}`);
}

function points(spec, series) {
  const numbers = series.data.map((each) => (each === null ? null : Number(each)));
  return spec.x_kind === "number" ? numbers.map((y, index) => [Number(spec.x[index]), y]) : numbers;
}

function series(spec, each) {
  const isLine = spec.kind === "line" || spec.kind === "area";
  return {
    name: each.name,
    type: isLine ? "line" : "bar",
    data: points(spec, each),
    stack: spec.is_stacked ? "all" : undefined,
    areaStyle: spec.kind === "area" ? { opacity: 0.15 } : undefined,
    step: each.is_step ? "end" : undefined,
    showSymbol: false,
    barMaxWidth: 28,
    itemStyle: each.color ? { color: colorOf(each.color) } : undefined,
    lineStyle: each.is_dashed ? { type: "dashed" } : undefined,
    emphasis: isShown(each) ? { focus: "series" } : { disabled: true },
    silent: !isShown(each),
  };
}

// A series that is there only to lift the bars on top of it is named nowhere.
const isShown = (each) => each.color !== "transparent";

function tooltip(format) {
  // The tooltip is drawn, not written as HTML: no style attribute has to pass the page's policy.
  return {
    renderMode: "richText",
    backgroundColor: color("--tblr-bg-surface"),
    borderColor: color("--tblr-border-color"),
    textStyle: { color: color("--tblr-body-color") },
    valueFormatter: (x) => format.value(Array.isArray(x) ? x.at(-1) : x),
  };
}

// What the tooltip of a chart says in which some series are named nowhere: those that have a value at this place.
function shownLines(spec, format) {
  const names = new Set(spec.series.filter(isShown).map((each) => each.name));
  return (found) => {
    const lines = found.filter((each) => names.has(each.seriesName) && each.value != null && !Number.isNaN(Number(each.value)));
    return [found[0]?.name ?? "", ...lines.map((each) => `${each.marker} ${each.seriesName}  ${format.value(each.value)}`)].join("\n");
  };
}

function option(spec) {
  const format = formatter(spec);
  const text = { color: color("--tblr-body-color"), fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 12 };
  const shared = {
    color: palette(),
    textStyle: text,
    animationDuration: 300,
    aria: { enabled: true },
    tooltip: tooltip(format),
  };
  if (spec.kind === "pie") {
    const data = spec.x.map((name, index) => ({ name, value: Number(spec.series[0].data[index]) }));
    return {
      ...shared,
      tooltip: { ...shared.tooltip, trigger: "item" },
      legend: { bottom: 0, type: "scroll", textStyle: text },
      series: [{ type: "pie", radius: ["50%", "75%"], center: ["50%", "42%"], label: { show: false }, data }],
    };
  }
  const named = spec.series.filter(isShown).map((each) => each.name);
  const hasLegend = named.length > 1;
  const lines = named.length < spec.series.length ? { formatter: shownLines(spec, format) } : {};
  return {
    ...shared,
    tooltip: { ...shared.tooltip, trigger: "axis", ...lines },
    legend: hasLegend ? { top: 0, type: "scroll", itemWidth: 14, itemHeight: 10, itemGap: 8, textStyle: text, data: named } : undefined,
    grid: { left: 8, right: 16, top: hasLegend ? 36 : 12, bottom: 8, containLabel: true },
    ...axes(spec, format),
    series: spec.series.map((each) => series(spec, each)),
  };
}

function draw(figure) {
  const spec = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
  const place = figure.querySelector("[data-chart-place]");
  const chart = drawn.get(place) ?? init(place, null, { renderer: "canvas" });
  drawn.set(place, chart);
  chart.setOption(option(spec), true);
  figure.dataset.drawn = "true";
}

function drawAll() {
  for (const [place, chart] of drawn) {
    if (!place.isConnected) {
      chart.dispose();
      drawn.delete(place);
    }
  }
  document.querySelectorAll("figure[data-chart]").forEach(draw);
}

drawAll();
document.addEventListener("htmx:afterSettle", () => document.querySelectorAll("figure[data-chart]:not([data-drawn])").forEach(draw));
document.addEventListener("lotus:theme", drawAll);
addEventListener("resize", () => drawn.forEach((chart) => chart.resize()));
