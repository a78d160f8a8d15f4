import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Writes files below a directory; a name ending in "*" becomes an executable without it. */
function writeTree(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name.replace(/\*$/, ""));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    if (name.endsWith("*")) chmodSync(path, 0o755);
  }
}

/**
 * NGINX as far as build.sh sees it: a configure that writes objs/Makefile, whose program answers -V and -t. As the
 * real one does, it puts its arguments, the environment's flags and the machine's name into the program.
 */
const nginx = {
  "src/core/nginx.h": '#define NGINX_VERSION      "1.30.4"\n',
  "src/core/nginx.c": "OPENSSL_VERSION_TEXT\n",
  "conf/mime.types": "types {}\n",
  "src/a.c": "a\n",
  "src/b.c": "b\n",
  "src/main.c": '#!/bin/sh\ncase "$*" in *-V*) echo "configure arguments: --toy" >&2 ;; esac\n',
  "auto/configure*": `#!/bin/sh
echo "configured with $*"
echo run >>../../configure-runs
echo "# $* flags=$CFLAGS on $(uname -s) $(uname -r) $(uname -m)" >>src/main.c
mkdir -p objs/src
echo '#define NGX_COMPILER "gcc 0 (toy 1) "' >objs/ngx_auto_config.h
cat >objs/Makefile <<'EOF'
CC = cc
CFLAGS = -O1
build: objs/nginx
objs/nginx: objs/src/main.o objs/src/a.o objs/src/b.o
	$(CC) -o objs/nginx objs/src/main.o
objs/src/main.o: src/main.c
	$(CC) -c $(CFLAGS) \\
		-o objs/src/main.o src/main.c
objs/src/a.o: src/a.c ../njs/build/libnjs.a
	$(CC) -c $(CFLAGS) \\
		-o objs/src/a.o src/a.c
objs/src/b.o: src/b.c ../njs/build/libnjs.a
	$(CC) -c $(CFLAGS) \\
		-o objs/src/b.o src/b.c
EOF
`,
};

const njs = {
  "src/njs.h": '#define NJS_VERSION                 "1.0.0"\n',
  "src/n.c": "n\n",
  "configure*": `#!/bin/sh
mkdir -p build/src
cat >build/Makefile <<'EOF'
NJS_CC = cc
build/libnjs.a: build/src/n.o
	cat build/src/n.o > build/libnjs.a
build/src/n.o: src/n.c
	$(NJS_CC) -c \\
		-o build/src/n.o src/n.c
build/src/unused.o: src/unused.c
	$(NJS_CC) -c -o build/src/unused.o src/unused.c
EOF
`,
};

/**
 * A compiler that copies, adds the time (as __TIME__ does), and says no to what holds "syntax error". With HANG=name it
 * stops at that object and writes its process id into the file HANG_PID, until it is killed.
 */
const cc = `#!/bin/sh
case $1 in -v) echo "gcc version 0 (toy)" >&2; exit ;; -dumpmachine) echo toy-linux; exit ;; esac
while [ $# -gt 0 ]; do
	case $1 in -o) output=$2; shift ;; *) input=$1 ;; esac
	shift
done
case $output in *"/\${HANG:-none}"*) : >"$output"; echo $$ >"$HANG_PID"; exec sleep 600 ;; esac
if grep -q "syntax error" "$input"; then echo "$input:1: error: syntax error" >&2; exit 1; fi
cp "$input" "$output" && chmod 755 "$output" && echo "# at \${SOURCE_DATE_EPOCH:-$(date +%s%N)}" >>"$output"
`;

export interface Toy {
  readonly sources: string;
  /** To go before PATH: a compiler and strip that need no toolchain. */
  readonly bin: string;
  /** Replaces a file of the NGINX source and packs it again. */
  edit(name: string, text: string): void;
}

/** Lays out a directory of toy source archives under the names of the real ones. */
export function makeToy(directory: string): Toy {
  const sources = join(directory, "sources");
  const bin = join(directory, "bin");
  const trees = join(directory, "trees");
  const pack = (archive: string, top: string) =>
    execFileSync("tar", ["-czf", join(sources, archive), "-C", trees, top], { stdio: "pipe" });
  mkdirSync(sources, { recursive: true });
  writeTree(bin, { "cc*": cc, "strip*": "#!/bin/sh\n" });
  writeTree(join(trees, "nginx-release-1.30.4"), nginx);
  writeTree(join(trees, "njs-1.0.0"), njs);
  writeTree(join(trees, "nginx-rtmp-module-6c7719d"), { config: "" });
  writeTree(join(trees, "nginx-module-vts-0.2.7"), { config: "" });
  for (const top of readdirSync(trees)) pack(`${top}.tar.gz`, top);
  return {
    sources,
    bin,
    edit(name, text) {
      writeFileSync(join(trees, "nginx-release-1.30.4", name), text);
      pack("nginx-release-1.30.4.tar.gz", "nginx-release-1.30.4");
    },
  };
}
