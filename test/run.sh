#!/usr/bin/env bash
# All tests, with their set-up, on a Debian or Ubuntu machine with Node 20+: `npm test`.
#   test/run.sh [unit|lab|pack|arm ...]   default: unit lab; arm emulates hosts of other architectures, which takes an hour or more
# Installs the Debian packages that are missing (root or sudo), npm's packages and the build when absent, runs the
# suites, and ends with one line: N passed, N failed, N skipped. Exit 1 when anything failed.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

# Program or file that tests use, and the Debian package that has it.
needs="
  systemd-nspawn=systemd-container mmdebstrap=mmdebstrap ip=iproute2 iptables=iptables flock=util-linux
  /usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring
  ssh=openssh-client ssh-keygen=openssh-client ffmpeg=ffmpeg curl=curl openssl=openssl pebble=pebble
  tmux=tmux gcc=gcc make=make ansible-playbook=ansible-core shellcheck=shellcheck dash=dash busybox=busybox
"
suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(unit lab)
case " ${suites[*]} " in *" arm "*) needs="$needs qemu-arm-static=qemu-user-static arch-test=arch-test" ;; esac
passed=0 failed=0 skipped=0
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '== %s\n' "$*"; }

# as_root COMMAND...: by sudo unless we are root; with our PATH, which sudo would replace (Node may be in a home).
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo --preserve-env=CI,XDG_CACHE_HOME,EDGE_SETUP_LAB_MIRROR env "PATH=$PATH" "$@"
  fi
}

can_be_root() { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }

missing_packages() {
  local need
  for need in $needs; do
    case $need in
      /*) [ -e "${need%%=*}" ] || echo "${need#*=}" ;;
      *) command -v "${need%%=*}" >/dev/null || echo "${need#*=}" ;;
    esac
  done | sort -u | tr '\n' ' '
}

install_packages() {
  local missing
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  if ! command -v apt-get >/dev/null || ! can_be_root; then
    say "missing, and not installed (needs apt-get and root or sudo): $missing"
    return 0
  fi
  say "apt-get install --no-install-recommends $missing"
  as_root apt-get -qq update
  # shellcheck disable=SC2086 # a list of words
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install $missing >"$results/apt.log" 2>&1 ||
    { tail -n 20 "$results/apt.log"; exit 1; }
}

install_node_modules() {
  [ ! -d node_modules/tap ] || return 0
  say "npm ci --ignore-scripts"
  npm ci --ignore-scripts
}

# Test files of a suite: lab, pack and arm are folders; unit is all the rest.
files_of() {
  case $1 in
    lab | pack | arm) find "test/$1" -name '*.test.ts' ;;
    *) find test -name '*.test.ts' -o -name '*.test.tsx' | grep -v -e '^test/lab/' -e '^test/pack/' -e '^test/arm/' ;;
  esac | sort
}

# run_suite NAME: the counts come from what the runner itself sums up.
run_suite() {
  local name=$1 counts=$results/$1.counts code=0 pass=0 fail=0 skip=0
  local -a files tap=(npx --no-install tap --disable-coverage --reporter=tap)
  mapfile -t files < <(files_of "$name")
  [ ${#files[@]} -gt 0 ] || { say "no tests in suite $name"; return 0; }
  say "suite $name: ${#files[@]} files"
  case $name in
    lab) tap=(as_root node test/run-lab.mjs) ;;
    arm) tap=(as_root "${tap[@]}" --jobs=1 --timeout=7200) ;;
    pack) tap+=(--timeout=600) ;;
  esac
  "${tap[@]}" "${files[@]}" | node test/tap-lines.mjs "$counts" || code=$?
  [ ! -f "$counts" ] || read -r pass fail skip <"$counts"
  # A runner that ends badly without a failed assertion (a crash, no output at all) is a failure too.
  [ "$code" = 0 ] || [ "$fail" -gt 0 ] || fail=1
  passed=$((passed + pass)) failed=$((failed + fail)) skipped=$((skipped + skip))
}

is_of_hosts() { [ "$1" = lab ] || [ "$1" = arm ]; }

# Hosts of a test that was killed; and what ran as root must not keep the user from the next run.
clean_up_lab() {
  as_root node --import tsx test/lab/support/clean-up.ts || true
  [ "$(id -u)" = 0 ] || as_root chown -R "$(id -u):$(id -g)" .tap
}

install_packages
install_node_modules
say "npm run build"
npm run --silent build
# With the plugins of .taprc: the first run would still take those that tap comes with.
npx --no-install tap build >/dev/null
for suite in "${suites[@]}"; do
  if is_of_hosts "$suite" && ! can_be_root; then
    say "suite $suite is skipped: it boots hosts, which needs root or sudo without a password"
    skipped=$((skipped + $(files_of "$suite" | wc -l)))
    continue
  fi
  run_suite "$suite"
  ! is_of_hosts "$suite" || clean_up_lab
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
