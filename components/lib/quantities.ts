const BINARY: Readonly<Record<string, number>> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };
const MEMORY = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti)$/;
const CPU = /^(\d+(?:\.\d+)?)(m?)$/;

/** Bytes of a memory or storage quantity with a binary unit, or undefined where it is none. */
export function bytes(quantity: string): number | undefined {
  const [, number, unit] = MEMORY.exec(quantity) ?? [];
  const factor = unit === undefined ? undefined : BINARY[unit];
  return number === undefined || factor === undefined ? undefined : Number(number) * factor;
}

/** CPU cores, or undefined where the text is no quantity of them. */
export function cores(quantity: string): number | undefined {
  const [, number, milli] = CPU.exec(quantity) ?? [];
  return number === undefined ? undefined : Number(number) / (milli ? 1000 : 1);
}
