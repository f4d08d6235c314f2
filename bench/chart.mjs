// Bar charts as SVG, by vega-lite; no browser needed.
import { writeFileSync } from 'node:fs';
import * as vega from 'vega';
import * as lite from 'vega-lite';

/** @param rows { name, group, milliseconds, low, high, ours }: a bar each, in the order given */
export const latencyChart = (file, title, rows) =>
  barChart(
    file,
    title,
    'milliseconds, median and p10 to p90',
    rows.map(({ milliseconds, ...row }) => ({ ...row, value: milliseconds })),
  );

/** @param axis what the bars show; @param rows { name, group, value, low, high, ours }: a bar each, in the order given */
export async function barChart(file, title, axis, rows) {
  const { spec } = lite.compile({
    title,
    width: 520,
    background: 'white',
    data: { values: rows },
    facet: {
      row: {
        field: 'group',
        title: null,
        header: { labelOrient: 'top', labelAnchor: 'start', labelFontSize: 12, labelPadding: 4 },
      },
    },
    resolve: { scale: { x: 'independent', y: 'independent' } },
    spec: {
      width: 520,
      layer: [
        {
          mark: 'bar',
          encoding: {
            y: { field: 'name', sort: null, title: null, axis: { labelLimit: 400 } },
            x: { field: 'value', type: 'quantitative', title: axis },
            color: { field: 'ours', type: 'nominal', scale: { domain: [true, false], range: ['#d9822b', '#3b6fb6'] }, legend: null },
          },
        },
        {
          mark: { type: 'rule', strokeWidth: 1.5 },
          encoding: { y: { field: 'name', sort: null }, x: { field: 'low', type: 'quantitative' }, x2: { field: 'high' } },
        },
      ],
    },
  });
  writeFileSync(file, await new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG());
}

/** @param rows { chart, network, precision, at, milliseconds }: a panel for each network and chart */
export async function lineCharts(file, title, rows) {
  const { spec } = lite.compile({
    title,
    background: 'white',
    data: { values: rows },
    facet: { row: { field: 'network', title: null }, column: { field: 'chart', title: null, sort: null } },
    resolve: { scale: { x: 'independent', y: 'independent' } },
    spec: {
      width: 190,
      height: 150,
      mark: { type: 'line', point: true },
      encoding: {
        x: { field: 'at', type: 'quantitative', title: null, scale: { zero: false } },
        y: { field: 'milliseconds', type: 'quantitative', title: 'ms an image', scale: { zero: true } },
        color: { field: 'precision', type: 'nominal', scale: { domain: ['float32', 'int8'], range: ['#3b6fb6', '#d9822b'] } },
      },
    },
  });
  writeFileSync(file, await new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG());
}

/**
 * A small panel for each line, with all the other lines in grey behind it: told apart without colours, two panels on a phone's width.
 *
 * @param lines { title, points: { x, y }[] }: a panel each, in the order given; a title may have several lines
 */
export async function linePanels(file, title, { x, y }, lines) {
  const values = lines.flatMap(({ title: panel }) =>
    lines.flatMap((line) => line.points.map((point) => ({ ...point, panel, line: line.title, own: line.title === panel }))),
  );
  const { spec } = lite.compile({
    title,
    background: 'white',
    data: { values },
    facet: {
      field: 'panel',
      type: 'nominal',
      sort: lines.map((line) => line.title),
      title: null,
      header: { labelExpr: "split(datum.label, '\\n')", labelFontSize: 11, labelPadding: 4 },
    },
    columns: 2,
    spacing: { row: 14, column: 12 },
    spec: {
      width: 118,
      height: 90,
      mark: { type: 'line' },
      encoding: {
        x: { field: 'x', type: 'quantitative', title: x, axis: { tickCount: 4, grid: false } },
        y: { field: 'y', type: 'quantitative', title: y, axis: { tickCount: 4 }, scale: { zero: false } },
        detail: { field: 'line' },
        order: { field: 'x' },
        color: { field: 'own', type: 'nominal', scale: { domain: [false, true], range: ['#b8b8b8', '#1f4e8c'] }, legend: null },
        strokeWidth: {
          field: 'own',
          type: 'nominal',
          sort: [false, true],
          scale: { domain: [false, true], range: [1, 2.5] },
          legend: null,
        },
      },
    },
  });
  writeFileSync(file, await new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG());
}
