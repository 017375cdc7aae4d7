const ARCHITECTURES: Readonly<Record<string, { arch: string; x64: string; machine: string }>> = {
  x64: { arch: "amd64", x64: "x64", machine: "x86_64" },
  arm64: { arch: "arm64", x64: "arm64", machine: "aarch64" },
};

/** This machine as the publishers of downloads spell it; they do not agree, hence three names of one architecture. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
  readonly x64: string;
  readonly machine: string;
}

export function thisPlatform(os: string = process.platform, cpu: string = process.arch): Platform {
  const names = ARCHITECTURES[cpu];
  if (!names || (os !== "linux" && os !== "darwin"))
    throw new Error(`${os} on ${cpu} is not supported; supported are linux and darwin on x64 and arm64`);
  return { os, ...names };
}

export function platformKey(platform: Platform): string {
  return `${platform.os}-${platform.arch}`;
}

export function fillTemplate(template: string, version: string, platform: Platform): string {
  const values: Record<string, string> = { version, ...platform };
  return template.replace(/\$\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${template}: ${whole} is none of ${Object.keys(values).join(", ")}`);
    return value;
  });
}
