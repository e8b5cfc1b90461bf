// A connection to the chat that comes back by itself.

const firstDelay = 500; // milliseconds before the first try, doubled for each further one
const longestDelay = 15000;

export class Connection {
  // onOpen and onEvent are called with the connection up; onDown each time it is lost or
  // cannot be made.
  constructor({ onOpen, onEvent, onDown }) {
    Object.assign(this, { onOpen, onEvent, onDown });
    this.failures = 0;
    window.addEventListener("online", () => this.retry());
    window.addEventListener("pagehide", () => this.socket?.close());
    window.addEventListener("pageshow", () => this.retry()); // from the cache
  }

  get open() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  connect() {
    this.wanted = true;
    clearTimeout(this.timer);
    const url = new URL("ws", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.hash = "";
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.onopen = () => {
      this.failures = 0;
      this.onOpen();
    };
    socket.onmessage = (message) => {
      if (socket === this.socket) this.onEvent(JSON.parse(message.data));
    };
    socket.onclose = () => {
      if (socket === this.socket) this.later();
    };
  }

  // later waits before the next try: longer each time, and not the same for everybody, so
  // that a server that comes back is not run over.
  later() {
    const longest = Math.min(longestDelay, firstDelay * 2 ** this.failures++);
    const delay = longest * (0.5 + Math.random() / 2);
    this.timer = setTimeout(() => this.connect(), delay);
    this.onDown();
  }

  // retry connects now, unless a try is under way or there was none yet.
  retry() {
    if (this.wanted && (this.socket?.readyState ?? WebSocket.CLOSED) === WebSocket.CLOSED) this.connect();
  }

  // drop gives up a connection that does not answer: its close could take minutes.
  drop() {
    const socket = this.socket;
    this.socket = undefined;
    socket.close();
    this.later();
  }

  send(request) {
    if (this.open) this.socket.send(JSON.stringify(request));
  }
}
