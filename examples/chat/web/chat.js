// The page of the chat: what the server says goes into the log and the lists, what the
// person does goes to the server.

import { Connection } from "./connection.js";
import { Log } from "./log.js";
import { listOf, paint } from "./words.js";

const maxText = 2000; // characters of a message, as the server has it
const patience = 10000; // milliseconds until a message that got no answer is a dead connection
const typingLasts = 4000; // milliseconds that somebody is shown as typing

const $ = (id) => document.getElementById(id);

const typing = new Map(); // timers by name
const drafts = new Map(); // what is not sent yet, by room
let me = sessionStorage.getItem("name") ?? localStorage.getItem("name") ?? "";
let room = "";
let people = [];
let entered = false; // the server knows us since the last connect
let lastTyping = 0;

const log = new Log($("log"), showUnread);
const server = new Connection({ onOpen: enter, onEvent: take, onDown: showDown });

// key proves to the server that a reconnect, or another tab, is the same person.
const key = localStorage.getItem("key") ?? random(32);
localStorage.setItem("key", key);

function random(length) {
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (b) => "abcdefghijklmnopqrstuvwxyz234567"[b & 31]).join("");
}

function roomOfLink() {
  try {
    return decodeURIComponent(location.hash.slice(1)).toLowerCase() || "lobby";
  } catch {
    return "lobby";
  }
}

// enter asks for the room of the link, and for what was said in it since.
function enter() {
  const wanted = roomOfLink();
  server.send({ type: "enter", name: me, key, room: wanted, since: wanted === room ? log.lastID : 0 });
}

const events = {
  entered(event) {
    const again = event.room === room;
    const first = !again || !log.lastID;
    if (!again) {
      const unsent = [...log.pending.values()].map(({ request }) => request.text);
      drafts.set(room, [...unsent, $("text").value].join("\n").trim());
      log.clear();
      $("text").value = drafts.get(event.room) ?? "";
      resize();
    }
    entered = true;
    room = event.room;
    remember(event.name);
    $("welcome").close();
    showState("");
    if (event.missed) log.note("Some messages were missed.");
    // What was said before is not to be read out.
    $("log").ariaLive = first ? "off" : "polite";
    for (const message of event.history ?? []) log.add(message, message.name === me, !first);
    setTimeout(() => ($("log").ariaLive = "polite"));
    for (const { request } of log.pending.values()) server.send(request);
    if (log.pending.size) expectAnswer();
    people = event.people;
    showRooms(event.rooms);
    showRoom();
    if (first && matchMedia("(hover: hover)").matches) $("text").focus();
  },

  message(event) {
    stopTyping(event.name);
    log.add(event, event.name === me, true);
    $("empty").hidden = true;
  },

  joined(event) {
    if (people.includes(event.name)) return;
    people = [...people, event.name].sort((a, b) => a.localeCompare(b));
    log.note(`${event.name} has joined`);
    showRoom();
  },

  left(event) {
    stopTyping(event.name);
    people = people.filter((name) => name !== event.name);
    log.note(`${event.name} has left`);
    showRoom();
  },

  typing(event) {
    if (event.name === me) return;
    clearTimeout(typing.get(event.name));
    typing.set(event.name, setTimeout(() => stopTyping(event.name), typingLasts));
    showTyping();
  },

  rooms(event) {
    showRooms(event.rooms);
  },

  refused(event) {
    if (event.ref && log.fail(event.ref, event.text)) return;
    if (event.code === "bad-name" || event.code === "name-taken") {
      askName(event.text);
      return;
    }
    notice(event.text);
    const place = room || "lobby";
    if (event.code.includes("room") && roomOfLink() !== place) {
      location.replace(`#${encodeURIComponent(place)}`); // the link leads nowhere
    } else if (!entered) {
      server.drop(); // and try again later
    }
  },
};

// take passes an event of the server on. A newer server may have more of them.
function take(event) {
  events[event.type]?.(event);
}

// say sends a message, now or as soon as the server is there again.
function say(text) {
  const request = { type: "say", text, ref: random(20) };
  log.addPending(request, me, say);
  $("empty").hidden = true;
  if (entered) {
    server.send(request);
    expectAnswer();
  }
}

function expectAnswer() {
  const refs = [...log.pending.keys()];
  const socket = server.socket;
  setTimeout(() => {
    if (server.socket === socket && server.open && refs.some((ref) => log.pending.has(ref))) server.drop();
  }, patience);
}

function remember(name) {
  me = name;
  sessionStorage.setItem("name", me);
  localStorage.setItem("name", me);
  $("me-name").textContent = me;
  paint($("me-avatar"), me);
}

function askName(error = "") {
  $("name").value ||= me;
  $("name-error").textContent = error;
  $("cancel").hidden = !entered;
  if (!$("welcome").open) $("welcome").showModal();
  $("name").select();
}

function showRoom() {
  const others = people.length - 1;
  $("room-title").textContent = `# ${room}`;
  $("room-info").textContent = others === 0 ? "only you are here" : `${people.length} people here`;
  $("people-count").textContent = people.length;
  $("people").replaceChildren(
    ...people.map((name) => {
      const item = document.createElement("li");
      const avatar = paint(document.createElement("span"), name);
      avatar.ariaHidden = "true";
      const label = document.createElement("span");
      label.textContent = name === me ? `${name} (you)` : name;
      item.append(avatar, label);
      return item;
    }),
  );
  $("empty").hidden = !log.empty;
  showUnread(log.unread);
}

function showRooms(rooms) {
  $("rooms").replaceChildren(
    ...rooms.map(({ name, count }) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = `#${encodeURIComponent(name)}`;
      if (name === room) link.ariaCurrent = "page";
      const label = document.createElement("span");
      label.textContent = `# ${name}`;
      const number = document.createElement("span");
      number.className = "count";
      number.textContent = count;
      number.ariaLabel = `${count} people`;
      link.append(label, number);
      item.append(link);
      return item;
    }),
  );
}

function showUnread(count) {
  document.title = (count ? `(${count}) ` : "") + (room ? `#${room} – Chat` : "Chat");
  $("newer").hidden = count === 0;
  $("newer").textContent = count === 1 ? "1 new message ↓" : `${count} new messages ↓`;
}

function showTyping() {
  const names = [...typing.keys()];
  $("typing").textContent = names.length ? `${listOf(names)} ${names.length > 1 ? "are" : "is"} typing…` : "";
}

function stopTyping(name) {
  clearTimeout(typing.get(name));
  typing.delete(name);
  showTyping();
}

function showState(text) {
  $("state").hidden = !text;
  if ($("state-text").textContent !== text) $("state-text").textContent = text;
}

function showDown() {
  entered = false;
  for (const name of typing.keys()) stopTyping(name);
  showState(navigator.onLine ? "Connection lost. Reconnecting…" : "You are offline. Reconnecting…");
}

let noticeTimer;
function notice(text) {
  $("notice").textContent = text;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => ($("notice").textContent = ""), 5000);
}

function showMenu(open) {
  document.body.classList.toggle("menu", open);
  document.querySelector("main").inert = open;
  $("menu").ariaExpanded = open;
  (open ? $("side").querySelector("a") : $("menu"))?.focus();
}

// resize makes the field as high as its text, and says how far it is from the limit.
function resize() {
  const field = $("text");
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
  const left = maxText - [...field.value.trim()].length;
  $("limit").textContent =
    left < 0 ? `${-left} character${left < -1 ? "s" : ""} too long. The limit is ${maxText}.` : left < 200 ? `${left} characters left` : "";
  $("composer").classList.toggle("over", left < 0);
  $("send").disabled = left < 0 || left === maxText;
}

$("composer").addEventListener("submit", (e) => {
  e.preventDefault();
  if ($("send").disabled) return;
  say($("text").value.trim());
  $("text").value = "";
  lastTyping = 0;
  resize();
  $("text").focus();
});

$("text").addEventListener("keydown", (e) => {
  if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
  e.preventDefault();
  $("composer").requestSubmit();
});

$("text").addEventListener("input", () => {
  resize();
  if (entered && $("text").value.trim() && Date.now() - lastTyping > typingLasts / 2) {
    lastTyping = Date.now();
    server.send({ type: "typing" });
  }
});

$("name-form").addEventListener("submit", (e) => {
  e.preventDefault();
  me = $("name").value.trim();
  $("name-error").textContent = "";
  if (server.open) enter();
  else if (server.socket) server.retry();
  else server.connect();
});

// Without a name there is nothing to see behind the question.
$("welcome").addEventListener("cancel", (e) => entered || e.preventDefault());

$("room-form").addEventListener("submit", (e) => {
  e.preventDefault();
  location.hash = encodeURIComponent($("room-name").value.trim().replace(/^#/, "").toLowerCase());
  $("room-name").value = "";
});

$("share").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    notice("The link to this room is copied.");
  } catch {
    notice(location.href); // browsers copy for pages of https and of this machine only
  }
});

window.addEventListener("hashchange", () => {
  if (document.body.classList.contains("menu")) showMenu(false);
  if (roomOfLink() !== room) enter();
});
document.addEventListener("keydown", (e) => {
  if (e.key === "Escape" && document.body.classList.contains("menu")) showMenu(false);
});
matchMedia("(min-width: 721px)").addEventListener("change", () => showMenu(false));
$("menu").addEventListener("click", () => showMenu(!document.body.classList.contains("menu")));
$("veil").addEventListener("click", () => showMenu(false));
$("rename").addEventListener("click", () => askName());
$("cancel").addEventListener("click", () => $("welcome").close());
$("newer").addEventListener("click", () => log.toEnd());
$("retry").addEventListener("click", () => server.retry());

resize();
if (me) {
  remember(me);
  server.connect();
} else {
  askName();
}
