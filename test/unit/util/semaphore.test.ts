import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { Deadline } from "../../../src/transport/deadline.js";
import { Semaphore } from "../../../src/util/semaphore.js";

t.test("no more than the slots, in order", async (t) => {
  const semaphore = new Semaphore(2);
  let running = 0;
  let most = 0;
  const order: number[] = [];
  await Promise.all(
    [1, 2, 3, 4, 5].map((number) =>
      semaphore.run(async () => {
        running += 1;
        most = Math.max(most, running);
        order.push(number);
        await sleep(2);
        running -= 1;
      }),
    ),
  );
  t.equal(most, 2);
  t.same(order, [1, 2, 3, 4, 5]);
});

t.test("a slot returns after a failure, and only once", async (t) => {
  const semaphore = new Semaphore(1);
  await t.rejects(semaphore.run(() => Promise.reject(new Error("x"))));
  const release = await semaphore.acquire();
  release();
  release();
  await semaphore.acquire();
  const abort = new AbortController();
  const second = semaphore.acquire(abort.signal);
  abort.abort();
  await t.rejects(second, { code: "E_INTERRUPTED" });
});

t.test("a waiter that was aborted takes no slot", async (t) => {
  const semaphore = new Semaphore(1);
  const release = await semaphore.acquire();
  const abort = new AbortController();
  const left = semaphore.acquire(abort.signal);
  const stays = semaphore.acquire();
  abort.abort();
  await t.rejects(left, { code: "E_INTERRUPTED" });
  release();
  t.type(await stays, "function");
});

t.test("a deadline stands still while held", async (t) => {
  let expired = false;
  const deadline = new Deadline(40, () => {
    expired = true;
  });
  await deadline.hold(() => sleep(80));
  t.equal(expired, false);
  await sleep(80);
  t.equal(expired, true);
});
