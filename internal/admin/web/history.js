// What the charts show: sums of each status of the last ten minutes.

export const length = 10 * 60 * 1000;

const total = (list, of) => list.reduce((sum, item) => sum + of(item), 0);

/** processesOf lists the processes of a status, each with its worker. */
export const processesOf = (status) =>
  (status.workers ?? []).flatMap((worker) => (worker.processes ?? []).map((process) => ({ ...process, worker: worker.name })));

/** identity tells processes apart also when a pid is used again. */
export const identity = (process) => `${process.pid} ${process.started}`;

export class History {
  samples = [];
  #used = new Map(); // CPU seconds of each process
  #before; // the time of the sample before

  /** add returns the sample of a status. It gives each process its share of CPU in percent. */
  add(status, processes) {
    const time = Date.parse(status.now);
    const passed = (time - this.#before) / 1000;
    const used = new Map();
    for (const process of processes) {
      const key = identity(process);
      const lost = process.state === "lost"; // its figures are missing, not zero
      const before = this.#used.get(key);
      used.set(key, lost ? before : process.cpu);
      process.share = lost || before === undefined || !(passed > 0) ? null : Math.max(0, (100 * (process.cpu - before)) / passed);
    }
    const sample = {
      time,
      connections: status.connections,
      rate: total(processes, (p) => p.rate),
      lag: Math.max(0, ...processes.flatMap((p) => (p.loops ?? []).map((l) => l.lag_ms))),
      memory: total(processes, (p) => p.memory),
      cpu: processes.some((p) => p.share !== null) ? total(processes, (p) => p.share ?? 0) : null,
    };
    if (passed < 0) this.samples = []; // the machine's clock was put back
    if (passed !== 0) {
      this.#used = used;
      this.#before = time;
      this.samples.push(sample);
    }
    while (this.samples[0].time < time - length) this.samples.shift();
    return sample;
  }
}
