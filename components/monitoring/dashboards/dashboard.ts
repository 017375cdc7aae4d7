/** One page of panels. */
export interface Dashboard {
  /** Names its file and its address. */
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Panel {
  readonly title: string;
  /** `now`: the latest values, small; `course`: lines over time. */
  readonly shows: "now" | "course";
  /** As Grafana names it. @default "short" */
  readonly unit?: "short" | "percentunit" | "bytes" | "s" | "ms" | "ops" | "reqps" | "Bps";
  /** In PromQL, by the legend of what it gives: a text, with labels such as `{{pod}}`. */
  readonly queries: Readonly<Record<string, string>>;
  /** Red where a value is below this. */
  readonly least?: number;
  /** Red where a value has reached this. */
  readonly tooMuch?: number;
}

/** The datasource that every query asks; the provisioned one has this uid. */
export const DATASOURCE = { type: "prometheus", uid: "prometheus" } as const;

const COLUMNS = 24;
const SIZES = { now: { w: 6, h: 4 }, course: { w: 12, h: 8 } } as const;

interface Position {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** From left to right, and below what is there where a panel no longer fits beside it. */
export function layout(panels: readonly Pick<Panel, "shows">[]): Position[] {
  const places: Position[] = [];
  let [x, y, height] = [0, 0, 0];
  for (const { shows } of panels) {
    const { w, h } = SIZES[shows];
    if (x + w > COLUMNS || (x > 0 && h !== height)) [x, y] = [0, y + height];
    places.push({ x, y, w, h });
    [x, height] = [x + w, h];
  }
  return places;
}

function thresholds({ least, tooMuch }: Panel): object {
  const steps = [
    { color: least === undefined ? "green" : "red", value: null },
    ...(least === undefined ? [] : [{ color: "green", value: least }]),
    ...(tooMuch === undefined ? [] : [{ color: "red", value: tooMuch }]),
  ];
  return { mode: "absolute", steps };
}

const KINDS = {
  now: { type: "stat", custom: {}, options: { reduceOptions: { calcs: ["lastNotNull"] }, textMode: "auto" } },
  course: {
    type: "timeseries",
    custom: { lineWidth: 1, fillOpacity: 10, showPoints: "never" },
    options: { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi", sort: "desc" } },
  },
} as const;

function panelJson(panel: Panel, gridPos: Position, index: number): object {
  const { type, custom, options } = KINDS[panel.shows];
  return {
    id: index + 1,
    type,
    title: panel.title,
    gridPos,
    datasource: DATASOURCE,
    targets: Object.entries(panel.queries).map(([legendFormat, expr], query) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + query),
      datasource: DATASOURCE,
      expr,
      legendFormat,
      instant: panel.shows === "now",
      range: panel.shows === "course",
    })),
    fieldConfig: {
      defaults: { unit: panel.unit ?? "short", custom, color: color(panel), thresholds: thresholds(panel) },
      overrides: [],
    },
    options,
  };
}

/** Lines are told apart by colour, single values judged by it. */
const color = ({ shows }: Panel): object => ({ mode: shows === "now" ? "thresholds" : "palette-classic" });

/** As Grafana reads it from a file. */
export function dashboardJson({ uid, title, panels }: Dashboard): string {
  const places = layout(panels);
  return JSON.stringify({
    uid,
    title,
    tags: ["platform"],
    schemaVersion: 39,
    editable: false,
    timezone: "browser",
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    panels: panels.map((panel, index) => panelJson(panel, places[index] as Position, index)),
  });
}
