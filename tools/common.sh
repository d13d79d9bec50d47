# SPDX-License-Identifier: Apache-2.0
# Shared by tools/build, tools/run and tools/test; sourced, not run. Expects to be in a script with
# `set -euo pipefail`.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

say() { printf '== %s\n' "$*"; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# The leading comment of a script is its help.
print_help() { awk 'NR > 2 && !/^#/ { exit } NR > 2 { sub(/^# ?/, ""); print }' "$0"; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo > /dev/null; then
    sudo "$@"
  else
    die "not root, and there is no sudo, to run: $*"
  fi
}

# install_packages KIND...: installs the packages of tools/packages.txt that are not there.
install_packages() {
  local kind name installed wanted=() missing=()
  command -v dpkg-query > /dev/null ||
    die "this is no Debian system (no dpkg-query): install what tools/packages.txt names by hand"
  while read -r kind name; do
    case " $* " in *" $kind "*) wanted+=("$name") ;; esac
  done < <(grep -v '^#' "$root/tools/packages.txt")
  [ ${#wanted[@]} -gt 0 ] || return 0
  # dpkg-query fails where it does not know one of the names; the others are printed all the same.
  installed=" $({ dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2> /dev/null || true; } |
    awk '$1 == "installed" { print $2 }' | paste -s -d ' ') "
  for name in "${wanted[@]}"; do
    case "$installed" in *" $name "*) ;; *) missing+=("$name") ;; esac
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  as_root apt-get update -qq || die "apt-get update failed; missing are: ${missing[*]}"
  # Another apt-get may be at work, as on a machine that has just started: wait for it.
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
    install -y -qq --no-install-recommends "${missing[@]}" > /dev/null ||
    die "apt-get could not install: ${missing[*]}"
}

# python_environment: build/venv with the packages of tools/requirements.txt; sets $python.
python_environment() {
  local wanted
  python="$root/build/venv/bin/python"
  wanted="$(sha256sum "$root/tools/requirements.txt" | cut -d' ' -f1)"
  [ "$(cat "$root/build/venv/.installed" 2> /dev/null)" != "$wanted" ] || return 0
  say "installing the Python packages of tools/requirements.txt into build/venv"
  mkdir -p "$root/build"
  python3 -m venv "$root/build/venv" || die "python3 -m venv failed: is python3-venv installed?"
  "$python" -m pip install -q --disable-pip-version-check -r "$root/tools/requirements.txt" ||
    die "pip could not install the packages of tools/requirements.txt"
  printf '%s\n' "$wanted" > "$root/build/venv/.installed"
}
