#!/usr/bin/env bash
# Build .venv from constraints.txt when it is missing or older than the pins; called by make.
# PYTHON=python3.11 chooses the interpreter. A .venv made by hand is used as it is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pins=requirements/constraints.txt
stamp=.venv/pins.sha256
building=.venv/unfinished
log=.venv/install.log

say() { printf 'mmpmg: %s\n' "$*" >&2; }

# The first interpreter of a fitting version that can make environments.
find_python() {
  local candidate without_venv=
  for candidate in ${PYTHON:-python3.12 python3.11 python3.10 python3}; do
    "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' \
      >/dev/null 2>&1 || continue
    if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
    without_venv=$candidate
  done
  if [ -n "$without_venv" ]; then
    local version
    version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    say "Python $version lacks the venv module's installer; type: sudo apt-get install -y python$version-venv"
  else
    say "no Python 3.10, 3.11 or 3.12 found (looked for: ${PYTHON:-python3.12 python3.11 python3.10 python3});" \
      "install one, or name it: make PYTHON=/path/to/python3.11"
  fi
  return 1
}

# Count packages while pip downloads them: a line for each tenth one.
# In bash, not awk: Debian's awk reads its input in blocks, and the lines would come at the end.
progress() {
  local n=0 first second rest
  while read -r first second rest; do
    case "$first $second" in
      "Collecting "*) n=$((n + 1)); if ((n % 10 == 1)); then echo "  package $n: $second"; fi ;;
      "Installing collected") ((n < 2)) || echo "  unpacking $n packages (two minutes or so) ..." ;;
    esac
  done
}

if [ -e "$building" ]; then
  say "the last installation was interrupted; starting again"
  rm -rf .venv
fi
if [ ! -x .venv/bin/python ]; then
  python=$(find_python)
  say "building .venv with $("$python" --version), once: about 3 GB to download, 6 GB on disk"
  mkdir -p .venv
  touch "$building"
  "$python" -m venv .venv
elif [ ! -e "$stamp" ]; then
  say "using the .venv that is there, which make did not build (to have it built: rm -rf .venv)"
  exit 0
fi

wanted=$(cat "$pins" setup.py | sha256sum)
[ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || exit 0

touch "$building"
say "installing the pinned packages; details in $log"
# --no-deps: the pins are complete, and the OpenCV that mmaction2 asks for needs libGL.
# The first run of pip brings setuptools, which builds mmpmg itself without a download.
if ! { .venv/bin/python -m pip install --no-deps --disable-pip-version-check -r "$pins" &&
  .venv/bin/python -m pip install --no-deps --no-build-isolation --disable-pip-version-check -e .; } \
  2>&1 </dev/null | tee "$log" | progress; then
  tail -n 20 "$log" >&2
  say "the installation failed (above); mend what it says and type the same command again"
  exit 1
fi
echo "$wanted" >"$stamp"
rm "$building"
