// What words look like. Nothing here makes HTML of what people say: text goes into text
// nodes, and links are elements whose address is checked.

const link = /\bhttps?:\/\/[^\s<>"'“”]+/gi;

// linked returns the nodes for a text, with its web addresses as links.
export function linked(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(link)) {
    const address = trimmed(match[0]);
    let url;
    try {
      url = new URL(address);
    } catch {
      continue;
    }
    nodes.push(text.slice(end, match.index));
    const a = document.createElement("a");
    a.href = url.href;
    a.target = "_blank";
    a.rel = "noopener noreferrer nofollow";
    a.textContent = address;
    nodes.push(a);
    end = match.index + address.length;
  }
  nodes.push(text.slice(end));
  return nodes;
}

// trimmed leaves out what ends a sentence rather than an address.
function trimmed(address) {
  address = address.replace(/[.,:;!?]+$/, "");
  if (address.endsWith(")") && !address.includes("(")) return trimmed(address.slice(0, -1));
  return address;
}

// onlyEmoji reports whether a text is up to three emoji, which are shown large.
export function onlyEmoji(text) {
  return /^(\p{Extended_Pictographic}(\p{Emoji_Modifier}|\ufe0f|\u200d\p{Extended_Pictographic})*\s*){1,3}$/u.test(text);
}

// paint gives an avatar the first letter of a name and a color that is always the same.
export function paint(avatar, name) {
  let hash = 0;
  for (const letter of name.toLowerCase()) hash = (hash * 31 + letter.codePointAt(0)) % 997;
  avatar.className = `avatar hue-${hash % 8}`;
  avatar.textContent = [...name][0].toUpperCase();
  return avatar;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

// timeOf returns an element with the time of day.
export function timeOf(time) {
  const element = document.createElement("time");
  element.dateTime = new Date(time).toISOString();
  element.title = moment.format(time);
  element.textContent = clock.format(time);
  return element;
}

// dayOf names the day of a time.
export function dayOf(time) {
  const day = new Date(time).toDateString();
  if (day === new Date().toDateString()) return "Today";
  if (day === new Date(Date.now() - 24 * 3600 * 1000).toDateString()) return "Yesterday";
  return dayOfYear.format(time);
}

// listOf joins names as a sentence does, and counts them if there are many.
export function listOf(names) {
  if (names.length > 3) return `${names.length} people`;
  return names.join(", ").replace(/, ([^,]*)$/, " and $1");
}
