/** Why a target is missed, from profiles (`node --cpu-prof`) of the rows; a change of the program that moves one belongs here. */
export const PROFILES = `
## Where the time goes

What profiles of manifix say about rows that miss a target on two cores.

* **P1, against nginx.** 58 to 83 % of manifix's busy time is the system call \`writev\`; routing, access control, counters and
  garbage collection together are under 15 %. Bare \`node:http\` itself, which does nothing else, stays behind nginx, which
  serves from two worker processes. One Node process cannot be faster than bare Node, and a second one would not help here:
  wrk takes 8 us of CPU for each answer and manifix 13, so that two cores end at 97,000 answers a second however many
  processes there are, where nginx with its 11 us ends at 105,000.
* **P4, at memory speed.** A fill takes about 1.7 s of CPU per GB: sha256 on a thread of its own 35 %, receiving and sending with all
  that Node and undici do for it 49 %, writing to the page cache 13 %. For 256 MiB that is 0.46 s; the registry of the benchmark and
  the client, which compares each byte, take another 0.14 s of the same two cores. So 0.3 s is the least that two cores can take,
  three times a direct download; sha256 alone takes as long as two. With nothing else on the machine a blob takes 0.34 to 0.39 s; in
  this row the kernel still works on what the other caches wrote. At 1 Gbit/s all of this hides behind the network.
* **P4, first byte.** Of what is beyond direct, most is the first passes through code that was seldom run: a fill for a
  blob that is here at once takes 3 ms.
* **P8.** Of the time until it listens, modules take 200 ms: zod, undici, hono and prom-client 30 to 40 each. The first hit waits for
  its connection to the registry, for the question whether the caller may read, and for code that was never run; most of it was
  rehearsed before, which took 35 ms. Files that nobody read since the start come from the disk. After a kill, and after an end that
  came before it was done, directories are looked through for files that are not listed, and clients
  have their turn after every 50.
* **P9.** From 1.3 to 2.0 ms between runs of the same program on this machine; five runs of this row alone gave 1.3. A part of it is the
  connection that each HEAD to the registry gets of its own, the rest the way of two HTTP messages through one process.
* **P10, each request another.** What fixes cost there is reading Accept, which decides what a client can be given, and looking for
  what is wrong with a request; the second request with the same words costs nothing of it.
* **P11, each request another.** Who it is, by a keyed hash of the login, and what he may, take 20 to 40 us of 200 for each request; the
  second request with the same words costs nothing of it.
`;
