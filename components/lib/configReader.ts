import type { Faults } from "./faults";
import { bytes, cores } from "./quantities";

export type Fields = Readonly<Record<string, unknown>>;

/** Of stacks and applications: they name namespaces and objects. */
export const NAME = /^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$/;
export const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

const CIDR = /^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/;
export const isCidrList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "string" && CIDR.test(each));

/** Reads single values, noting each fault and going on with a stand-in. */
export class Reader {
  constructor(private readonly faults: Faults) {}

  object(place: string, value: unknown, known?: readonly string[]): Fields {
    if (value === undefined) return {};
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.faults.add(place, value, "an object");
      return {};
    }
    const unknown = known ? Object.keys(value).filter((key) => !known.includes(key)) : [];
    for (const key of unknown)
      this.faults.add(`${place}.${key}`, (value as Fields)[key], `one of ${known?.join(", ")}`);
    return value as Fields;
  }

  integer(place: string, value: unknown, min: number, max: number, where = ""): number {
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
    this.faults.add(place, value, min === max ? `only ${min}${where}` : `a whole number from ${min} to ${max}${where}`);
    return min;
  }

  flag(place: string, value: unknown): boolean {
    if (value === undefined || typeof value === "boolean") return value === true;
    this.faults.add(place, value, "true or false");
    return false;
  }

  oneOf<T extends string>(place: string, value: unknown, allowed: readonly [T, ...T[]]): T {
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) this.faults.add(place, value, allowed.join(" or "));
    return found ?? allowed[0];
  }

  size(place: string, value: unknown, fallback?: string): string {
    if (value === undefined && fallback) return fallback;
    if (typeof value === "string" && (bytes(value) ?? 0) > 0) return value;
    this.faults.add(place, value, 'a size such as "512Mi" or "2Gi"');
    return "1Gi";
  }

  duration(place: string, value: unknown, fallback: string): string {
    if (value === undefined) return fallback;
    if (typeof value === "string" && /^[1-9]\d*[smh]$/.test(value)) return value;
    this.faults.add(place, value, 'a time such as "30s", "5m" or "1h"');
    return fallback;
  }

  retention(place: string, value: unknown, fallback: string): string {
    if (value === undefined) return fallback;
    if (typeof value === "string" && /^[1-9]\d*[hdw]$/.test(value)) return value;
    this.faults.add(place, value, 'a time such as "12h", "2d" or "4w"');
    return fallback;
  }

  text(place: string, value: unknown, fallback: string): string {
    if (value === undefined || isText(value)) return value ?? fallback;
    this.faults.add(place, value, "a text");
    return fallback;
  }

  cpu(place: string, value: unknown): string {
    const text = typeof value === "number" ? String(value) : value;
    if (typeof text === "string" && (cores(text) ?? 0) > 0) return text;
    this.faults.add(place, value, 'CPU cores such as "8" or "500m"');
    return "1";
  }
}
