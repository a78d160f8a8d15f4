import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t from "tap";
import { loadLock, type SourceEntry } from "../../../src/build/sources.js";
import {
  type Advisory,
  exposure,
  fixedIn,
  loadAdvisories,
  names,
  type Part,
  patternsOf,
} from "../../../src/supply/advisories.js";
import { recipeOptions, templateLines } from "../../../src/supply/pins.js";
import { packageRoot } from "../../../src/util/package-root.js";

interface RawLock {
  readonly edge_lock: {
    readonly profiles: Readonly<
      Record<
        string,
        {
          readonly dynamic?: Readonly<
            Record<
              string,
              {
                readonly version: string;
                readonly date: string;
                readonly license: string;
                readonly cves: { readonly fixed: readonly string[]; readonly affecting: readonly string[] };
              }
            >
          >;
        }
      >
    >;
  };
}

const folder = join(packageRoot(), "nginx-build");
const { advisories, date } = await loadAdvisories(join(folder, "advisories.json"));
const lock = await loadLock(join(folder, "sources.lock.json"));

const base = { component: "nginx", title: "x", severity: "low", fixed: ["1.30.4", "1.31.3"], url: "https://a.example" };

function idsOf(part: Part): string[] {
  return advisories.filter((one) => names(one, part)).map(({ id }) => id);
}

/** The lock knows CVEs alone. */
function cvesOf(part: Part): string[] {
  return idsOf(part)
    .filter((id) => id.startsWith("CVE-"))
    .sort();
}

t.test("which versions an advisory names", async (t) => {
  const one: Advisory = { ...base, id: "CVE-1", from: "1.15.8", debian: { trixie: "1.26.3-3+deb13u8" } };
  const named = (version: string, debian?: string) => names(one, { component: "nginx", version, debian });
  for (const version of ["1.15.8", "1.28.9", "1.30.3", "1.31.2"]) t.ok(named(version), version);
  for (const version of ["1.15.7", "1.30.4", "1.30.10", "1.31.3", "1.32.0"]) t.notOk(named(version), version);
  t.ok(named("1.26.3-3+deb13u7", "trixie"));
  t.notOk(named("1.26.3-3+deb13u8", "trixie"));
  t.notOk(named("1.22.1-9+deb12u9", "bookworm"), "Debian does not name it there");
  t.notOk(names(one, { component: "njs", version: "1.0.0" }));
  t.notOk(names({ ...one, fixed: [] }, { component: "nginx", version: "1.0.0" }), "a list for Debian's package alone");
  t.equal(fixedIn(one, { component: "nginx", version: "1.30.1" }), "1.30.4");
  t.equal(fixedIn(one, { component: "nginx", version: "1.28.0" }), "1.30.4 and 1.31.3");
  t.equal(fixedIn(one, { component: "nginx", version: "x", debian: "trixie" }), "1.26.3-3+deb13u8");
});

t.test("whether the part is compiled in, and used", async (t) => {
  const how = (more: Partial<Advisory>, options: string, ...lines: string[]) =>
    exposure({ ...base, id: "CVE-1", ...more }, options, lines);
  t.equal(how({ with: ["--with-mail"] }, "--with-threads"), "absent");
  t.equal(how({ with: ["--with-mail"] }, "--with-threads --with-mail"), "used");
  t.equal(how({ without: ["--without-a", "--without-b"] }, "--without-a"), "used", "one of two is in");
  t.equal(how({ without: ["--without-a", "--without-b"] }, "--without-a --without-b"), "absent");
  t.equal(how({ uses: ["^ *map ", "^ *alias "] }, "", "    map $a $b {"), "unused");
  t.equal(how({ uses: ["^ *map ", "^ *alias "] }, "", "    map $a $b {", "  alias /x;"), "used");
  t.equal(how({ uses: ["^ *map "] }, "", "# map is not used"), "unused");
  t.equal(how({ uses: ["^ *a "], unless: ["^ *b +off"] }, "", "a 1;"), "used");
  t.equal(how({ uses: ["^ *a "], unless: ["^ *b +off"] }, "", "a 1;", " b off;"), "unused");
});

t.test("the list is well formed, and both grep and JavaScript read its expressions", async (t) => {
  t.match(date, /^\d{4}-\d{2}-\d{2}$/);
  t.equal(new Set(advisories.map(({ id }) => id)).size, advisories.length, "none twice");
  for (const one of advisories) {
    t.ok(one.title !== "" && URL.canParse(one.url), one.id);
    t.match(one.severity, /^(major|medium|low|unknown)$/);
    t.ok(one.fixed.length > 0 || Object.keys(one.debian ?? {}).length > 0, `${one.id} is fixed somewhere`);
    for (const option of [...(one.with ?? []), ...(one.without ?? [])]) t.match(option, /^--with(out)?-[a-z0-9_]+$/);
    for (const text of patternsOf([one])) {
      t.ok(new RegExp(text));
      // Classes and shorthands that only one of the two knows.
      t.notMatch(text, /\\[dwsb]|\[:|\(\?/);
    }
  }
});

t.test("the list and the lock say the same of every pin", async (t) => {
  const release = (version: string) => (version.includes("+deb13") ? "trixie" : "bookworm");
  const said = (entry: SourceEntry) => entry.affecting.slice().sort();
  for (const entry of lock.entries) {
    const { component, version, key } = entry;
    if (component === "nginx_patches") {
      const part = { component: "nginx", version, debian: release(version) };
      t.same(cvesOf(part), said(entry), key);
      for (const id of entry.fixed) t.notOk(idsOf(part).includes(id), `${key} fixes ${id}`);
    } else if (component !== "nginx" || !entry.file.includes(".orig.")) {
      t.same(cvesOf({ component, version }), said(entry), `${component} ${key}`);
    }
  }
});

t.test("modules that come as packages have a date, a licence and their CVEs, too", async (t) => {
  const { profiles } = (JSON.parse(await readFile(join(folder, "sources.lock.json"), "utf8")) as RawLock).edge_lock;
  for (const [profile, { dynamic = {} }] of Object.entries(profiles)) {
    for (const [component, { version, date, license, cves }] of Object.entries(dynamic)) {
      t.match(date, /^\d{4}-\d{2}-\d{2}$/, `${profile} ${component}`);
      t.match(license, /^[A-Z]/);
      t.ok(Array.isArray(cves.fixed));
      t.same(cvesOf({ component, version: version.replace(/-.*/, "") }), cves.affecting.toSorted());
    }
  }
});

t.test("the recipe's options are those that NGINX was configured with", async (t) => {
  const options = (await recipeOptions(packageRoot())).split(" ");
  // Of a build on Debian 13; --with-cc-opt and --with-ld-opt are left out, they compile nothing in.
  const configure =
    "--with-threads --with-http_ssl_module --with-http_v2_module --with-http_realip_module --with-http_stub_status_module --with-http_secure_link_module --with-stream --with-stream_ssl_module --without-http_ssi_module --without-http_userid_module --without-http_mirror_module --without-http_geo_module --without-http_split_clients_module --without-http_fastcgi_module --without-http_uwsgi_module --without-http_scgi_module --without-http_grpc_module --without-http_memcached_module --without-http_empty_gif_module --without-http_browser_module --without-http_charset_module --without-http_referer_module --without-http_upstream_hash_module --without-http_upstream_ip_hash_module --without-http_upstream_least_conn_module --without-http_upstream_random_module --without-http_upstream_keepalive_module --without-stream_access_module --without-stream_geo_module --without-stream_map_module --without-stream_split_clients_module --without-stream_return_module --without-stream_limit_conn_module --without-stream_upstream_hash_module --without-stream_upstream_least_conn_module --without-stream_upstream_random_module --without-stream_upstream_zone_module --with-compat";
  for (const option of configure.split(" ")) t.ok(options.includes(option), option);
  t.same(
    options.filter((option) => !configure.split(" ").includes(option)),
    [],
  );
});

t.test("lines that the configuration can have", async (t) => {
  const lines = await templateLines(packageRoot());
  t.ok(lines.some((line) => /^ *map /.test(line)));
  t.notOk(
    lines.some((line) => /ngx\.fetch\(|exclusiveC14n|^ *js_access /.test(line)),
    "what NJS's advisories are about stays out of our scripts",
  );
});

t.test("a list that is none", async (t) => {
  const dir = t.testdir({ "a.json": "{", "b.json": '{"format": 2, "advisories": []}' });
  for (const name of ["a.json", "b.json", "c.json"]) {
    await t.rejects(loadAdvisories(join(dir, name)), { code: "E_ADVISORIES" }, name);
  }
});
