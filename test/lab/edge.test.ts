import { spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import t, { type Test } from "tap";
import type { LabHost } from "../../src/lab/index.js";
import type { RunEvent } from "../../src/report/events.js";
import { cacheWithoutBuilds, type Desk, makeDesk, readEvents } from "./support/cli.js";
import { bootBare, EDGE } from "./support/edge.js";
import { labImpossible, waitUntil } from "./support/lab.js";

// A host from bare to live, broken by hand in several ways, and healed. One compile, so one host for all of it.
// `connection: local` is not here: lab hosts have no Node. The engine's own tests run it on this machine.

const ACTIVATION = "The release is live";
const MINUTE = 60_000;

const results = (events: readonly RunEvent[]) => events.filter((event) => event.type === "task.result");
const checks = (events: readonly RunEvent[]) => events.filter((event) => event.type === "check.result");

/** `task [item]` of all that a run changed, or a plan would. */
function touched(events: readonly RunEvent[]): string[] {
  return results(events)
    .filter((event) => event.status === "changed" || event.status === "failed" || event.pending === true)
    .map((event) => (event.item === undefined ? event.task.name : `${event.task.name} [${event.item}]`));
}

function recapOf(events: readonly RunEvent[]) {
  return events.flatMap((event) => (event.type === "run.end" ? [event.recap[EDGE]] : [])).at(-1);
}

/** Nothing to do, said by both: plan names nothing, and apply does nothing. */
async function settled(t: Test, desk: Desk, ...flags: string[]): Promise<void> {
  const plan = await desk.run("plan", "--exit-code", ...flags);
  t.equal(plan.code, 0, "plan is clean", { stdout: plan.stdout });
  t.match(plan.stdout, /^Nothing would change\.$/m);
}

/** What is listed of the folders that the play writes to, newer than the marker. */
async function writtenSince(host: LabHost, marker: string): Promise<string> {
  // The journal, and the login records, are the host's own.
  const own = "-path /var/log -prune -o -path /var/lib/systemd -prune -o";
  return (await host.exec(`find /etc /opt /usr /var /home /root ${own} -newer ${marker} -print`)).stdout;
}

/** Runs a command of the desk without waiting, and kills it when `until` is seen. */
function killedAt(desk: Desk, words: readonly string[], until: (event: RunEvent) => boolean) {
  const { argv, env } = desk.command(...words, "--json");
  const [program = "", ...rest] = argv;
  const child = spawn(program, rest, { cwd: desk.folder, env, stdio: ["ignore", "pipe", "ignore"] });
  const seen = new Promise<boolean>((resolve) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      for (const event of readEvents(line)) if (until(event)) resolve(true);
    });
    child.once("exit", () => resolve(false));
  });
  const kill = async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  };
  return { seen, kill };
}

t.test(
  "from a bare host to a live edge, and back to it",
  { skip: labImpossible(), timeout: 20 * MINUTE },
  async (t) => {
    const { host, desk: shared } = await bootBare(t);
    // Compiled, as by everybody's first apply.
    const desk = makeDesk(shared.folder, host, undefined, cacheWithoutBuilds(shared.folder));
    const secrets = join(desk.folder, "group_vars/all/edge-secrets.yml");

    await t.test("plan names what apply would create, and leaves the host alone", async (t) => {
      await host.exec("touch /run/marker; sleep 0.1");
      const token = "kept-from-every-event";
      const plan = await desk.events("plan", "--exit-code", "-D", "-e", `rtmp_publish_token=${token}`);
      t.equal(plan.code, 4, "exit code", { stderr: plan.stderr });
      const [first] = plan.events;
      t.match(first, { type: "run.start", version: 1, command: "plan", check: true, hosts: [EDGE] });
      const would = touched(plan.events);
      for (const name of [
        "User edge",
        "Configuration of NGINX [http.conf]",
        "NGINX with RTMP, NJS and VTS",
        ACTIVATION,
      ]) {
        t.ok(would.includes(name), name);
      }
      t.match(recapOf(plan.events), { failed: 0, unreachable: 0 });
      t.notOk((plan.stdout + plan.stderr).includes(token), "no secret in events and diffs");
      t.equal((await desk.run("plan")).code, 0, "without --exit-code a plan that has something to do is a success");
      t.equal(await writtenSince(host, "/run/marker"), "", "nothing was written");
      t.not((await host.exec("getent passwd edge")).code, 0, "no user");
      t.notOk(existsSync(secrets), "secrets of a plan are not kept");
    });

    await t.test("apply makes it live, and proves it", async (t) => {
      const apply = await desk.events("apply", "--yes");
      t.equal(apply.code, 0, "exit code", { stderr: apply.stderr, events: apply.events.slice(-5) });
      t.match(recapOf(apply.events), { failed: 0, unreachable: 0, pending: 0 });
      t.ok((recapOf(apply.events)?.changed ?? 0) > 10);
      t.ok(checks(apply.events).length > 5);
      for (const { check, status, reason } of checks(apply.events)) {
        t.ok(status === "pass" || status === "skip", `${check.id}: ${status}: ${reason}`);
      }
      t.equal(statSync(secrets).mode & 0o777, 0o600, "secrets are for the operator alone");
    });

    await t.test("a second apply changes nothing", async (t) => {
      await host.exec("touch /run/marker; sleep 0.1");
      const again = await desk.events("apply", "--yes");
      t.equal(again.code, 0, "exit code", { stderr: again.stderr });
      t.match(recapOf(again.events), { changed: 0, pending: 0, failed: 0 });
      t.same(touched(again.events), []);
      await settled(t, desk);
      t.equal(await writtenSince(host, "/run/marker"), "", "nothing was written");
    });

    interface Damage {
      readonly title: string;
      readonly by: string;
      /** What plan names: the damage, and what follows from it. */
      readonly plan: readonly string[];
      /** What apply then does, where it is not the same. */
      readonly apply?: readonly string[];
    }
    const damages: readonly Damage[] = [
      {
        title: "a configuration file edited",
        by: "echo '# by hand' >> /etc/edge/nginx/http.conf",
        plan: ["Configuration of NGINX [http.conf]", ACTIVATION],
        // The live release is a copy, and never was another.
        apply: ["Configuration of NGINX [http.conf]"],
      },
      {
        title: "a unit stopped",
        by: "systemctl stop edge-http.service",
        plan: ["The edge is up, and comes up with the host [edge-http.service]"],
      },
      {
        title: "the memory unmounted under the running units",
        by: "umount -l /run/edge/hls",
        // The units see mounts of the host come and go: nothing to restart.
        plan: ["HLS segments live in memory"],
      },
      {
        title: "the memory stopped, and the units with it",
        by: "systemctl stop run-edge-hls.mount",
        plan: [
          "HLS segments live in memory",
          "The edge is up, and comes up with the host [edge-rtmp.service]",
          "The edge is up, and comes up with the host [edge-http.service]",
          "Pictures are taken",
        ],
      },
      {
        title: "a file of the live release edited",
        by: "echo '# by hand' >> /etc/edge/live/http.conf",
        plan: [ACTIVATION],
      },
      {
        title: "a unit file edited",
        by: "echo '# by hand' >> /etc/systemd/system/edge-rtmp.service",
        plan: ["Units [edge-rtmp.service]", ACTIVATION],
        // It runs with the very file that is there again.
        apply: ["Units [edge-rtmp.service]"],
      },
      {
        title: "a unit that does not come up with the host",
        by: "systemctl disable edge-rtmp.service",
        plan: ["The edge is up, and comes up with the host [edge-rtmp.service]"],
      },
    ];

    await t.test("broken by hand", async (t) => {
      for (const { title, by, plan: expected, apply: done = expected } of damages) {
        await t.test(title, async (t) => {
          const damage = await host.exec(by);
          t.equal(damage.code, 0, "exit code", { stderr: damage.stderr });
          const plan = await desk.events("plan", "--exit-code", "-D");
          t.equal(plan.code, 4);
          t.same(touched(plan.events), expected, "plan names exactly that");
          for (const event of results(plan.events).filter(
            (one) => one.item?.includes(".conf") && one.status === "changed",
          )) {
            t.match(event.diff?.unified, /^-# by hand$/m, "with the difference");
          }
          const apply = await desk.events("apply", "--yes", "--no-verify");
          t.equal(apply.code, 0, "exit code", { stderr: apply.stderr });
          t.same(touched(apply.events), done, "apply heals exactly that");
          await settled(t, desk);
        });
      }
    });

    await t.test("killed between writing and activating, with another run at the door", async (t) => {
      // The release tool waits for its lock: the run stands right before it.
      const held = waitUntil("! flock -n /run/edge-release.lock true");
      await host.exec(`systemd-run --quiet --unit=hold flock /run/edge-release.lock sleep 600; ${held}`);
      const flags = ["-e", "rtmp_ping=31s"];
      const run = killedAt(desk, ["apply", "--yes", "--no-verify", ...flags], (event) =>
        event.type === "task.start" ? event.task.name === ACTIVATION : false,
      );
      t.ok(await run.seen, "the run has come to the activation");

      const second = await desk.run("apply", "--yes", "--no-verify", ...flags);
      t.equal(second.code, 6, "a second run finds the host locked");
      t.match(second.stdout + second.stderr, /Another run holds this host: \S+@\S+ since \S+, edge-setup apply/);

      await run.kill();
      const free = waitUntil("flock -n /run/edge-setup.lock true");
      await host.exec(`loginctl kill-user --signal=KILL ops; systemctl stop hold.service; ${free}`);
      t.match((await host.exec("grep -c 'ping 31s' /etc/edge/nginx/rtmp.conf")).stdout, "1", "written");
      t.match((await host.exec("grep -c 'ping 31s' /etc/edge/live/rtmp.conf")).stdout, "0", "and not live");

      const plan = await desk.events("plan", "--exit-code", ...flags);
      t.equal(plan.code, 4);
      t.same(touched(plan.events), [ACTIVATION], "plan sees what the dead run left");
      const heal = await desk.events("apply", "--yes", "--no-verify", ...flags);
      t.equal(heal.code, 0, "exit code", { stderr: heal.stderr });
      t.same(touched(heal.events), [ACTIVATION]);
      t.match((await host.exec("grep -c 'ping 31s' /etc/edge/live/rtmp.conf")).stdout, "1", "live");
      await settled(t, desk, ...flags);
      t.equal((await desk.run("apply", "--yes", "--no-verify")).code, 0, "and back to what the inventory says");
    });

    await t.test("verify passes again", async (t) => {
      const verify = await desk.events("verify");
      t.equal(verify.code, 0, "exit code", { stderr: verify.stderr });
      for (const { check, status, reason } of checks(verify.events)) {
        t.ok(status === "pass" || status === "skip", `${check.id}: ${status}: ${reason}`);
      }
      await settled(t, desk);
    });
  },
);
