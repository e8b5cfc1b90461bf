// The messages of a room on the page.

import { dayOf, linked, onlyEmoji, paint, timeOf } from "./words.js";

const together = 5 * 60 * 1000; // messages of one person within this time share a head
const longestLog = 500; // elements on the page; older ones are taken off

export class Log {
  // onUnread is told how many messages came while the reader was further up or away.
  constructor(element, onUnread) {
    this.element = element;
    this.onUnread = onUnread;
    element.addEventListener("scroll", () => this.look());
    document.addEventListener("visibilitychange", () => this.look());
    new ResizeObserver(() => this.follow && this.toEnd()).observe(element);
    this.clear();
  }

  clear() {
    this.element.replaceChildren();
    this.pending = new Map(); // messages on their way, by ref
    this.lastID = 0;
    this.unread = 0;
    this.follow = true; // the end is in view
    this.lastRow = undefined;
    this.lastDay = undefined;
    this.onUnread(0);
  }

  get empty() {
    return !this.element.querySelector(".message");
  }

  // add shows a message, in the place of the same one that was on its way. news says that
  // the reader cannot have seen it.
  add(message, mine, news) {
    if (message.id <= this.lastID) return; // shown before the connection was lost
    this.lastID = message.id;
    this.settle(message.ref);
    this.append(this.row(message, mine), message);
    if (news && !mine && (document.hidden || !this.follow)) this.onUnread(++this.unread);
  }

  // addPending shows a message of one's own that the server has not taken yet.
  addPending(request, name, retry) {
    const row = this.row({ ...request, name, time: Date.now() }, true);
    row.classList.add("pending");
    const status = document.createElement("p");
    status.className = "status";
    status.textContent = "Sending…";
    row.append(status);
    this.pending.set(request.ref, { request, row, retry });
    this.element.append(row);
    this.toEnd();
  }

  // settle removes a message from those that are on their way.
  settle(ref) {
    const waiting = this.pending.get(ref);
    this.pending.delete(ref);
    waiting?.row.remove();
  }

  // fail says that a message was not taken, and lets its author try again.
  fail(ref, reason) {
    const waiting = this.pending.get(ref);
    if (!waiting) return false;
    this.pending.delete(ref);
    waiting.row.classList.add("failed");
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = "Try again";
    again.onclick = () => {
      waiting.row.remove();
      waiting.retry(waiting.request.text);
    };
    waiting.row.querySelector(".status").replaceChildren(`Not sent. ${reason} `, again);
    this.keepUp();
    return true;
  }

  // note shows what happened rather than what was said.
  note(text) {
    const row = document.createElement("p");
    row.className = "note";
    row.textContent = text;
    this.append(row);
  }

  // append puts a row before the messages that are on their way.
  append(row, message) {
    const first = this.pending.values().next().value?.row ?? null;
    if (message) this.newDay(message.time, first);
    this.join(row, message);
    this.element.insertBefore(row, first);
    while (this.element.childElementCount > longestLog) this.element.firstElementChild.remove();
    this.keepUp();
  }

  newDay(time, before) {
    const day = dayOf(time);
    if (day === this.lastDay) return;
    this.lastDay = day;
    const row = document.createElement("p");
    row.className = "day";
    row.textContent = day;
    this.element.insertBefore(row, before);
    this.lastRow = undefined;
  }

  // join draws a message close to the one before if that is of the same person.
  join(row, message) {
    const last = this.lastRow;
    if (message && last?.name === message.name && message.time - last.time < together) row.classList.add("more");
    this.lastRow = message && { name: message.name, time: message.time };
  }

  row(message, mine) {
    const row = document.createElement("div");
    row.className = mine ? "message mine" : "message";
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = mine ? "You" : message.name;
    const text = document.createElement("p");
    text.className = onlyEmoji(message.text) ? "text emoji" : "text";
    text.dir = "auto";
    text.append(...linked(message.text));
    const avatar = paint(document.createElement("span"), message.name);
    avatar.ariaHidden = "true";
    row.append(avatar, name, timeOf(message.time), text);
    return row;
  }

  keepUp() {
    if (this.follow) this.toEnd();
  }

  toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
    this.follow = true;
    this.look();
  }

  // look notes whether the reader is at the end, and so has read everything.
  look() {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    this.follow = scrollHeight - scrollTop - clientHeight < 60;
    if (this.follow && !document.hidden && this.unread) {
      this.unread = 0;
      this.onUnread(0);
    }
  }
}
