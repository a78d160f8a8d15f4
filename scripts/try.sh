#!/usr/bin/env bash
# `npm run try` in a clone: what is missing of the set-up, then `edge-setup try`. Words after `--` go to it.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d node_modules/node-ssh ] || npm ci --ignore-scripts --no-audit --no-fund
[ -f dist/cli/main.js ] || npm run --silent build
if [ "$(id -u)" = 0 ]; then
  exec node dist/cli/main.js try "$@"
fi
echo "A throw-away host needs root; asking sudo."
exec sudo env "PATH=$PATH" node dist/cli/main.js try "$@"
