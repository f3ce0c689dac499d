#!/bin/sh
# Installs what this clone and this host lack before `npm start` and `npm test`; says nothing where nothing is missing.
# Runs before any dependency is there, so it uses the shell, npm and apt-get alone.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
PATH=$PATH:/usr/sbin:/sbin # nft stands there, and a plain user's path on Debian does not name them

say() { echo "bulkhead: $*" >&2; }

# npm writes node_modules/.package-lock.json last, so it is missing after an interrupted install.
stamp=node_modules/.package-lock.json
if [ ! -f "$stamp" ] || [ package-lock.json -nt "$stamp" ]; then
  say "installing the dependencies of this clone (npm ci)"
  npm ci --include=dev --include=optional --ignore-scripts --loglevel=error >&2 || {
    say "\`npm ci\` failed; mend what it says above, then run the same command again"
    exit 3
  }
  touch "$stamp"
fi

[ "$(uname -s)" = Linux ] || exit 0

missing=
command -v nft >/dev/null || missing="$missing nftables"
command -v unshare >/dev/null || missing="$missing util-linux"
[ -n "$missing" ] || exit 0

by_hand="install$missing with the package manager of this host; without it nothing can be enforced in the kernel"
if ! command -v apt-get >/dev/null; then
  say "$by_hand"
elif [ "$(id -u)" -ne 0 ]; then
  say "needs$missing to enforce in the kernel: run \`sudo apt-get install$missing\`"
else
  say "installing$missing (apt-get)"
  export DEBIAN_FRONTEND=noninteractive
  # A fresh image has no package lists: the first try is for hosts that have them.
  # shellcheck disable=SC2086 # each word is a package
  apt-get install -qq -y --no-install-recommends $missing >/dev/null 2>&1 ||
    { apt-get update -qq >&2 && apt-get install -qq -y --no-install-recommends $missing >&2; } ||
    say "apt-get could not install$missing; $by_hand"
fi
exit 0
