/** Why a target is missed, from profiles (`node --cpu-prof`) of the rows; a change of the program that moves one belongs here. */
export const PROFILES = `
## Where the time goes

What profiles of manifix say about rows that miss a target on two cores.

* **P1, against nginx.** 58 to 83 % of manifix's busy time is the system call \`writev\`; routing, access control, counters and
  garbage collection together are under 15 %. Bare \`node:http\` itself, which does nothing else, stays behind nginx, which
  serves from two worker processes and needs about 11 us of CPU for an answer where Node needs 13. One Node process cannot be
  faster than bare Node; several processes on one cache could be.
* **P4, at memory speed.** A fill receives, hashes, writes and sends on one thread. For 256 MiB that thread needs about 0.5 s:
  sending 25 %, sha256 22 %, garbage collection of received chunks 14 %, further writes 10 %. Receiving alone, with undici or
  \`node:http\` and nothing else, takes 0.3 to 0.4 s where curl takes 0.15 s. So 1.8 times a direct download at memory speed is
  out of reach of one thread; at 1 Gbit/s the same work hides behind the network. Hashing on another thread and buffers that
  are used again for receiving would be the next steps.
* **P8.** Listening takes 260 to 300 ms when nothing else runs. Of the first hit, about 25 ms then, 14 are the first request to the registry (connecting, and the question whether the caller
  may read), and 6 to 8 the first pass through code that was never run.
`;
