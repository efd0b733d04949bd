# Sourced by tools/bazel: decides which Python runs our tools, tests and environments.
#
# choose_python   exports SPION_PYTHON, an absolute path: the user's choice, if set; on Debian that
#                 of Debian, which Bazel's package brings, whatever else is on the PATH (an activated
#                 environment, a shim); elsewhere the first python3 on the PATH. What is no Python
#                 3.10 or later is refused; Debian's may still have to be installed.

refuse_python() {
  echo "tools/bazel: $*; set SPION_PYTHON to the absolute path of Python 3.10 or later, or unset" \
    "it" >&2
  exit 1
}

choose_python() {
  if [[ -n ${SPION_PYTHON:-} ]]; then
    [[ $SPION_PYTHON == /* && $SPION_PYTHON != *[[:space:]]* ]] ||
      refuse_python "SPION_PYTHON \"$SPION_PYTHON\" is no absolute path without spaces"
    [[ -x $SPION_PYTHON && ! -d $SPION_PYTHON ]] ||
      refuse_python "there is no program $SPION_PYTHON, named by SPION_PYTHON"
    check_python
  elif command -v dpkg-query >/dev/null; then
    SPION_PYTHON=/usr/bin/python3
  else
    SPION_PYTHON=$(command -v python3) || refuse_python "there is no python3 on the PATH"
    check_python
  fi
  export SPION_PYTHON
}

check_python() {
  local name
  name=$(python_name)
  [[ $name =~ ^python([0-9]+)\.([0-9]+)$ ]] ||
    refuse_python "$SPION_PYTHON does not run programs of Python"
  ((BASH_REMATCH[1] > 3 || BASH_REMATCH[1] == 3 && BASH_REMATCH[2] >= 10)) ||
    refuse_python "$SPION_PYTHON is $name"
}

# Its version as in the names of folders of packages, say python3.11; empty where it does not run.
python_name() {
  "$SPION_PYTHON" -c 'import sys; print("python%d.%d" % sys.version_info[:2])' 2>/dev/null || true
}
