import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { dirname, resolve } from "node:path";
import { type HostAccess, hostAccess } from "../inventory/host-address.js";
import { sourceVars } from "../inventory/host-source.js";
import type { Inventory, InventoryHost } from "../inventory/types.js";
import { renderValue } from "../playbook/render.js";
import type { LookupReader, Scope } from "../playbook/scope.js";
import type { Play, Playbook, TaskNode, Vars } from "../playbook/types.js";
import { type EmitEvent, EVENT_VERSION, type HostRecap, type HostTraffic } from "../report/events.js";
import { maskedEvents } from "../report/masked-events.js";
import type { Transport } from "../transport/transport.js";
import type { ExitCode } from "../util/errors.js";
import { Semaphore } from "../util/semaphore.js";
import { Batch, type Place, PlayEnded } from "./batch.js";
import type { HostScope } from "./compile-input.js";
import { GROUP_BY } from "./control.js";
import { type DelegateHost, Delegates, type DelegatesInput } from "./delegates.js";
import { RunFacts } from "./facts-asked.js";
import type { FactGroup } from "./facts-script.js";
import { gatherEnvironment } from "./gather-environment.js";
import { type Moment, momentOf, RunGroups } from "./groups.js";
import { withHostFiles } from "./host-files.js";
import { type Guards, runHostPlay } from "./host-play.js";
import { baseScope, hostVarsScope, settableNames } from "./host-vars.js";
import { KnownFacts } from "./known-facts.js";
import { controllerReader, fileKind } from "./language.js";
import { library } from "./library.js";
import { magicOf } from "./magic.js";
import { batchesOf, bearableFailures, implicitLocalhost, inOrder } from "./play-batches.js";
import { reachedBy, saysLogin } from "./reach.js";
import { emptyRecap } from "./recap.js";
import type { PlaceFile } from "./receiver.js";
import { type ResultUses, resultUses } from "./result-uses.js";
import { RunTally } from "./run-tally.js";
import { type Clock, HostSession, systemClock } from "./session.js";
import { sightOf } from "./setup.js";
import { SourceStore } from "./sources.js";
import { countTasks, type PlaySteps, playSteps, type Step } from "./steps.js";
import { playScope } from "./task-scope.js";
import { waitOf, whenThere } from "./when-there.js";

export interface RunOptions {
  /** For the run.start event: `plan`, `apply`. */
  readonly command: string;
  /** Plan: nothing on the host is changed. */
  readonly check: boolean;
  /** Diffs in the results. */
  readonly diff?: boolean;
  /** Hosts at once; 10 unless given. */
  readonly forks?: number;
  /** Host pattern that narrows the plays' own. */
  readonly limit?: string | undefined;
  readonly tags?: readonly string[];
  readonly skipTags?: readonly string[];
  /** `-e`: stronger than everything else. */
  readonly extraVars?: Vars;
  /** A mistake in a task's variables ends a host before anything is changed on it, where Ansible does the tasks before it first. */
  readonly mistakesFirst?: boolean;
}

export interface RunInput {
  readonly playbook: Playbook;
  readonly inventory: Inventory;
  readonly connect: (host: InventoryHost, signal: AbortSignal | undefined, access: HostAccess) => Promise<Transport>;
  readonly connectLocal: () => Promise<Transport>;
  /** How a host is reached and root is become on it; read from its variables unless given. @param login `remote_user`, weaker than these */
  readonly access?: (host: InventoryHost, login?: string) => HostAccess;
  /** Hosts that tasks can be delegated to; those of the inventory unless given. */
  readonly delegates?: Omit<DelegatesInput, "open">;
  readonly options: RunOptions;
  readonly emit: EmitEvent;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Values that no event may hold. */
  readonly secrets?: readonly string[];
  /** Fetches a controller file that does not exist. @throws EdgeError when it cannot */
  readonly resolveMissingSource?: (path: string) => Promise<void>;
  /** Puts files that hosts sent (`fetch`) in their places; they are renamed unless given. @throws EdgeError for one that is not right */
  readonly placeFile?: PlaceFile;
  /** Says which missing files can be fetched; all of them, unless given, when resolveMissingSource is. */
  readonly canResolveSource?: (path: string) => boolean;
  /** What is at a path of this machine: who knows better than the disk says that a file is not there. */
  readonly fileKind?: LookupReader["kindOf"];
  /** What the controller looks at before it changes a host. */
  readonly guards?: (host: InventoryHost) => Guards;
  /** Results that `guards` look at, as expressions. */
  readonly guardsAsk?: readonly string[];
}

export interface RunOutcome {
  readonly recap: Readonly<Record<string, HostRecap>>;
  readonly exitCode: ExitCode;
  /** Something changed, or would. */
  readonly dirty: boolean;
}

const DEFAULT_FORKS = 10;
/** What guards look at. */
const GUARD_FACTS: readonly FactGroup[] = ["network", "date"];

/** Runs a playbook on its hosts. Failures of hosts are events and numbers; only mistakes in the input are thrown. */
export async function runPlaybook(input: RunInput): Promise<RunOutcome> {
  return await new PlaybookRun(input).run();
}

/** What plays leave on a host for those behind them. */
/** What a host keeps from play to play. */
type HostState = Pick<HostScope, "facts" | "registers" | "given" | "included" | "sights">;

class PlaybookRun {
  readonly #input: RunInput;
  readonly #clock: Clock;
  readonly #emit: EmitEvent;
  readonly #id = randomBytes(6).toString("hex");
  readonly #sources: SourceStore;
  readonly #sessions: HostSession[] = [];
  /** By what tells a connection from others: one is for all who come by the same way. */
  readonly #opened = new Map<string, Promise<HostSession>>();
  readonly #greeted = new Set<HostSession>();
  readonly #delegates: Delegates;
  readonly #groups: RunGroups;
  readonly #tally: RunTally;
  readonly #failed = new Set<string>();
  readonly #states = new Map<string, HostState>();
  /** Of the play that each host has begun last. */
  readonly #scopes = new Map<string, HostScope>();
  readonly #settable: (name: string) => boolean;
  readonly #asked: RunFacts;
  readonly #known = new Map<string, KnownFacts>();
  #knownUses: ResultUses | undefined;
  /** Too many hosts of a batch failed: nothing comes after it. */
  #ended = false;

  constructor(input: RunInput) {
    this.#input = input;
    this.#sources = new SourceStore(input.fileKind ?? fileKind);
    const known = input.delegates ?? {
      names: input.inventory.hosts.map((host) => host.name),
      find: async (name: string, login: string | undefined) => this.#inventoryHost(name, login),
    };
    this.#delegates = new Delegates({ ...known, open: (host, access) => this.#session(host, access) });
    this.#groups = new RunGroups(input.inventory);
    this.#settable = settableNames(input.playbook);
    this.#asked = new RunFacts(input.playbook);
    this.#clock = input.clock ?? systemClock;
    this.#emit = maskedEvents(input.emit, input.secrets ?? []);
    this.#tally = new RunTally(this.#emit, this.#clock);
  }

  #now(): string {
    return this.#clock.now().toISOString();
  }

  async run(): Promise<RunOutcome> {
    const { playbook, options } = this.#input;
    const began = this.#clock.now().getTime();
    const traffic: Record<string, HostTraffic> = {};
    const filter = { tags: options.tags ?? [], skipTags: options.skipTags ?? [] };
    const plays = playbook.plays.map((play) => ({ play, steps: playSteps(play, filter) }));
    const grouping = plays.findIndex(({ steps }) => makesGroups(steps.steps));
    const isLate = (number: number) => grouping >= 0 && number > grouping;
    const known = playbook.plays.flatMap((play, number) => this.#hostsOf(play, number, isLate(number)));
    const hosts = [...new Set(known.map((host) => host.name))];
    for (const name of hosts) this.#tally.add(name, emptyRecap());
    this.#emit({
      type: "run.start",
      version: EVENT_VERSION,
      time: this.#now(),
      run: this.#id,
      command: options.command,
      check: options.check,
      hosts,
    });
    try {
      for (const [number, { play, steps }] of plays.entries()) {
        if (this.#input.signal?.aborted) break;
        await this.#play(play, steps, number, this.#hostsOf(play, number, isLate(number)));
        if (this.#ended) break;
      }
    } finally {
      for (const { host, traffic: own } of this.#sessions) traffic[host.name] = sumOf(own, traffic[host.name]);
      await Promise.all(this.#sessions.map((session) => session.close()));
    }
    const recap = { ...this.#tally.recaps };
    for (const [host, own] of Object.entries(recap)) {
      this.#emit({ type: "host.end", time: this.#now(), host, recap: own });
    }
    const exitCode = this.#tally.exitCode(this.#input.signal?.aborted === true);
    this.#emit({
      type: "run.end",
      time: this.#now(),
      recap,
      exitCode,
      durationMs: this.#clock.now().getTime() - began,
      traffic,
    });
    return { recap, exitCode, dirty: Object.values(recap).some((one) => one.changed > 0 || one.pending > 0) };
  }

  #uses(): ResultUses {
    const { playbook, inventory, options, guardsAsk = [] } = this.#input;
    this.#knownUses ??= resultUses(playbook, [inventory.hosts, options.extraVars ?? {}, guardsAsk]);
    return this.#knownUses;
  }

  /** @param late whether the play's groups may be made by a play before it */
  #hostsOf(play: Play, number: number, late: boolean): readonly InventoryHost[] {
    const { inventory, options } = this.#input;
    if (play.hosts === "localhost" && !inventory.hosts.some((host) => host.name === "localhost"))
      return [implicitLocalhost(play)];
    const chosen = late ? this.#groups.select(play.hosts, momentOf(number, 0)) : inventory.select(play.hosts);
    if (options.limit === undefined) return chosen;
    const allowed = new Set(inventory.select(options.limit).map((host) => host.name));
    return chosen.filter((host) => allowed.has(host.name));
  }

  async #play(play: Play, steps: PlaySteps, number: number, all: readonly InventoryHost[]): Promise<void> {
    const hosts = all.filter((host) => !this.#failed.has(host.name));
    this.#emit({
      type: "play.start",
      time: this.#now(),
      play: play.name,
      hosts: hosts.map((host) => host.name),
      tasks: countTasks(steps.steps),
    });
    const { options, signal } = this.#input;
    const hasFatal = steps.steps.some((step) => step.kind === "task" && isFatal(step.node));
    for (const batch of batchesOf(inOrder(hosts, play.order), play.serial)) {
      const names = batch.map((host) => host.name);
      const bearable = bearableFailures(play, names.length);
      const together = new Batch(names, new Semaphore(options.forks ?? DEFAULT_FORKS), bearable, hasFatal);
      const about = { play, steps, number, hosts: hosts.map((host) => host.name), batch: names };
      await Promise.all(
        batch.map((host) =>
          together.run(host.name, signal, async (place) => {
            const sound = await this.#hostPlay(about, host, place);
            if (!sound) together.fail();
          }),
        ),
      );
      // As Ansible: a batch in which every host failed ends the play.
      if (together.stop.aborted) {
        this.#ended = true;
        break;
      }
      if (together.endsPlay || batch.every((host) => this.#failed.has(host.name))) break;
    }
  }

  /** @returns whether nothing failed */
  async #hostPlay(about: PlayRun, host: InventoryHost, place: Place): Promise<boolean> {
    try {
      await this.#onHost(about, host, place);
    } catch (error) {
      if (error instanceof PlayEnded) {
        this.#tally.message(host.name, "stopped, as too many other hosts failed", "info");
        return true;
      }
      this.#failed.add(host.name);
      this.#tally.report(host.name, error);
    }
    return !this.#failed.has(host.name);
  }

  async #onHost(about: PlayRun, host: InventoryHost, place: Place): Promise<void> {
    const { play: asWritten, steps } = about;
    const { options, signal } = this.#input;
    const before = this.#states.get(host.name) ?? { facts: {}, registers: {}, given: {}, included: {}, sights: [] };
    const environment = () => gatherEnvironment(asWritten, playVars);
    const sights = asWritten.gatherFacts
      ? [...before.sights, sightOf({ ...asWritten.gathers, ofPlay: true, environment })]
      : before.sights;
    const state = { ...before, sights };
    this.#states.set(host.name, state);
    const base = this.#known.get(host.name)?.scope(before.sights) ?? baseScope(host, {});
    const own = { extraVars: options.extraVars ?? {}, magic: this.#magic(about, host) };
    const reader = { ...controllerReader, kindOf: this.#input.fileKind ?? fileKind };
    const playVars = playScope(asWritten, { ...state, ...own, base }, momentOf(about.number, 0), { reader });
    const reached = reachedBy(asWritten, host, playVars);
    const { access, fixed } = this.#playAccess(asWritten, reached, playVars);
    const connect = () => this.#connected(asWritten, reached, access);
    const wait = options.check ? undefined : waitOf(asWritten, steps, playVars);
    const session = await (wait === undefined ? connect() : whenThere(wait, { clock: this.#clock, signal }, connect));
    const known = await this.#factsFor(asWritten, host, access, session);
    const scope: HostScope = {
      base: (shown) => known.scope(shown),
      ...own,
      sights,
      known,
      facts: state.facts,
      registers: state.registers,
      given: state.given,
      included: state.included,
      hostvars: this.#hostVars(about.batch.length > 1),
      uid: (await session.facts()).uid,
      localUid: process.getuid?.() ?? 0,
      local: session.isLocal,
      become: access.become,
      becomeUser: access.becomeUser,
      name: host.name,
      login: { user: access.address.user, fixed },
      delegates: this.#delegates,
    };
    this.#scopes.set(host.name, scope);
    // As Ansible: what tasks have left behind names no file.
    const plain = { ...scope, base: known.scope(sights), facts: {}, registers: {}, included: {} };
    const varsOf = (one: Play) => playScope(one, plain, momentOf(about.number, 0), { reader });
    const play = withHostFiles(asWritten, sights.length > 0, varsOf);
    const canFetch =
      this.#input.canResolveSource ?? (this.#input.resolveMissingSource === undefined ? () => false : () => true);
    const diff = options.diff ?? false;
    const failed = await runHostPlay({
      playNumber: about.number,
      place,
      uses: this.#uses(),
      groups: this.#groups,
      delegates: this.#delegates,
      play,
      steps,
      host: scope,
      session,
      sources: this.#sources,
      build: {
        sources: this.#sources,
        wantDiff: diff,
        canFetch,
        comesFrom: () => undefined,
        foretell: () => {},
        beforeRead: () => {},
        directories: [],
        reader,
        mistakesFirst: options.mistakesFirst === true,
        hostName: host.name,
        playbookDirectory: resolve(dirname(this.#input.playbook.file)),
      },
      diff,
      emit: this.#emit,
      clock: this.#clock,
      signal,
      run: this.#id,
      who: this.#who(),
      lockFile: process.env.EDGE_SETUP_LOCK,
      newNonce: () => randomBytes(9).toString("hex"),
      resolveMissingSource: this.#input.resolveMissingSource,
      placeFile: this.#input.placeFile,
      planOnly: options.check,
      gather: async ({ groups, of }) => {
        this.#asked.add(groups);
        await this.#known.get(of.host ?? host.name)?.gather(groups, of.anew);
      },
      guards: this.#input.guards?.(host) ?? {},
      facts: known.all,
      libraries: known.libraries,
      onRecap: (recap) => this.#tally.add(host.name, recap),
    });
    const { facts, registers, given, included } = scope;
    this.#states.set(host.name, { facts, registers, given, included, sights: scope.sights });
    if (failed) {
      this.#failed.add(host.name);
      this.#tally.taskFailed();
    }
  }

  #access(host: InventoryHost, login?: string): HostAccess {
    return (this.#input.access ?? ((one: InventoryHost, user?: string) => hostAccess(one, { user })))(host, login);
  }

  /** How a play reaches a host, and whether no keyword changes who logs in. */
  #playAccess(play: Play, host: InventoryHost, scope: Scope): { access: HostAccess; fixed: boolean } {
    const fixed = saysLogin(host);
    const { remoteUser } = play;
    const login = fixed || remoteUser === undefined ? undefined : String(renderValue(remoteUser, scope));
    const access = this.#access(host, login);
    if (play.connection !== "local") return { access, fixed };
    return { access: { ...access, address: { ...access.address, connection: "local" } }, fixed };
  }

  #inventoryHost(name: string, login: string | undefined): DelegateHost {
    const host = this.#input.inventory.hosts.find((one) => one.name === name);
    if (host === undefined) throw new Error(`${name} is not of this inventory`);
    return { host, access: this.#access(host, login) };
  }

  /** The one connection to a host by one way, whoever needs it first. */
  #session(host: InventoryHost, access: HostAccess): Promise<HostSession> {
    const { connection, host: address, port, user } = access.address;
    const way = JSON.stringify(connection === "local" ? [host.name] : [host.name, address, port, user]);
    const known = this.#opened.get(way) ?? this.#open(host, access);
    this.#opened.set(way, known);
    // Who comes later tries anew.
    known.catch(() => this.#opened.delete(way));
    return known;
  }

  async #open(host: InventoryHost, access: HostAccess): Promise<HostSession> {
    const { connect, connectLocal, signal } = this.#input;
    const session = new HostSession(host, { connect, connectLocal, access, clock: this.#clock, signal });
    await session.transport();
    this.#sessions.push(session);
    return session;
  }

  /** A connection that is of no use: who comes later makes another one. */
  #forget(session: HostSession): void {
    this.#greeted.delete(session);
    for (const [way, known] of this.#opened) {
      known.then((one) => one === session && this.#opened.delete(way)).catch(() => undefined);
    }
  }

  async #connected(play: Play, host: InventoryHost, access: HostAccess): Promise<HostSession> {
    const session = await this.#session(host, access);
    if (this.#greeted.has(session)) return session;
    this.#greeted.add(session);
    const transport = await session.transport();
    this.#emit({ type: "host.connected", time: this.#now(), host: host.name, description: transport.description });
    const gathering = session.facts(this.#groupsFor(host), { as: asOf(play, access) });
    // The host is at work, and this machine is not: what the program will need is made ready.
    this.#uses();
    library();
    const facts = await gathering.catch((error: unknown) => {
      this.#forget(session);
      throw error;
    });
    this.#emit({ type: "host.facts", time: this.#now(), host: host.name, summary: facts.summary, model: facts.model });
    return session;
  }

  /** Facts that the playbook and the host's variables name. */
  #groupsFor(host: InventoryHost): Iterable<FactGroup> {
    const { guards, options } = this.#input;
    this.#asked.add(Object.keys(guards?.(host) ?? {}).length === 0 ? [] : GUARD_FACTS);
    return this.#asked.groupsFor(host.vars, options.extraVars);
  }

  /** A play that gathers facts does it as its own user, and anew when the host has been changed since. */
  async #factsFor(play: Play, host: InventoryHost, access: HostAccess, session: HostSession): Promise<KnownFacts> {
    const as = asOf(play, access);
    const known = this.#known.get(host.name);
    if (known === undefined) {
      const facts = await session.facts(this.#groupsFor(host), { as });
      const first = new KnownFacts(host, { session, as }, facts);
      this.#known.set(host.name, first);
      return first;
    }
    if (play.gatherFacts) await known.gatherAs({ session, as }, known.stale && this.#asked.isNamedIn(play));
    return known;
  }

  #who(): string {
    let user = "unknown";
    try {
      user = userInfo().username;
    } catch {
      // no passwd entry, as in some containers
    }
    return `${user}@${hostname()} since ${this.#now().slice(0, 16)}Z, edge-setup ${this.#input.options.command}`;
  }

  #magic(about: PlayRun, host: InventoryHost): HostScope["magic"] {
    const { inventory, playbook, options } = this.#input;
    const failed = this.#failed;
    return magicOf({ ...about, inventory, playbook, options, failed, groups: this.#groups, host });
  }

  /** @param meets whether another host of the batch may have something to do first */
  #hostVars(meets: boolean): HostScope["hostvars"] {
    const { inventory, options } = this.#input;
    const scopeOf = (name: string, now: Moment) => {
      const host = inventory.hosts.find((one) => one.name === name);
      if (host === undefined) return undefined;
      const magic = {
        inventory_hostname: name,
        inventory_hostname_short: name.split(".")[0] ?? name,
        groups: this.#groups.all(now),
        group_names: this.#groups.namesOf(host, now),
        ...sourceVars(name, inventory),
      };
      const own = this.#scopes.get(name);
      return hostVarsScope(own?.base(own.sights) ?? baseScope(host, {}), own, {
        extraVars: options.extraVars ?? {},
        magic,
      });
    };
    const owes = (name: string, variable: string) => {
      const own = this.#scopes.get(name);
      const has = (one: string) => own?.base(own.sights).lookup(one) !== undefined;
      return own?.known.owes(variable, own.sights, has) ?? [];
    };
    return { names: inventory.hosts.map((host) => host.name), scopeOf, meets, settable: this.#settable, owes };
  }
}

/** One play, as far as it is the same for all its hosts. */
interface PlayRun {
  readonly play: Play;
  readonly steps: PlaySteps;
  readonly number: number;
  readonly hosts: readonly string[];
  /** Those that go through it at the same time. */
  readonly batch: readonly string[];
}

/** Whom a play's own tasks run as; undefined is the user who logs in. */
function asOf(play: Play, access: HostAccess): string | undefined {
  return play.become || access.become === true ? (play.becomeUser ?? access.becomeUser ?? "root") : undefined;
}

function sumOf(a: HostTraffic, b: HostTraffic | undefined): HostTraffic {
  if (b === undefined) return a;
  return { execs: a.execs + b.execs, bytesUp: a.bytesUp + b.bytesUp, bytesDown: a.bytesDown + b.bytesDown };
}

function makesGroups(steps: readonly Step[]): boolean {
  return steps.some((step) => step.kind === "task" && step.node.module === GROUP_BY);
}

function isFatal({ anyErrorsFatal, flags }: TaskNode): boolean {
  return anyErrorsFatal === true || flags?.anyErrorsFatal !== undefined;
}
