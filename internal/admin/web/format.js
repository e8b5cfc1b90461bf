// How figures are written.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** count writes 41204 as 41,204. */
export const count = (n) => whole.format(n);

/** rate has a digit behind the point below 100. */
export const rate = (n) => (n < 100 ? fine : whole).format(n);

/** plural is "1 process" or "2 processes". */
export const plural = (n, one, many = one + "s") => `${count(n)} ${n === 1 ? one : many}`;

/** size writes bytes as 12.3 MiB. */
export function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (bytes >= 1024 && unit < units.length - 1) {
    bytes /= 1024;
    unit++;
  }
  return `${(unit === 0 || bytes >= 100 ? whole : fine).format(bytes)} ${units[unit]}`;
}

/** percent writes 12.34 as 12.3 %. */
export const percent = (n) => `${(n < 100 ? fine : whole).format(n)} %`;

/** lag writes milliseconds, from one second on as seconds. */
export const lag = (ms) => (ms < 1000 ? `${fine.format(ms)} ms` : `${fine.format(ms / 1000)} s`);

/** span writes milliseconds by their two largest units: 3 d 4 h. */
export function span(ms) {
  let rest = Math.max(0, Math.floor(ms / 1000));
  const parts = [];
  for (const [unit, seconds] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
    const n = Math.floor(rest / seconds);
    rest %= seconds;
    if (n > 0 || (unit === "s" && parts.length === 0)) parts.push(`${n} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

/** joined puts those that are not empty into a line. */
export const joined = (...texts) => texts.filter(Boolean).join(" · ");
