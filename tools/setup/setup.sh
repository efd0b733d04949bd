# Sourced by tools/bazel: finds out what this machine lacks and installs just that.
#
# setup_machine ROOT   returns when all is there; otherwise installs (as root), or prints the
#                      exact commands (not root) and exits 1. Prints nothing when all is there.
#                      Sets setup_installed to 1 if it installed something.
#
# Environment: SPION_CACHE_DIR   where our Python environments go: a folder that is there
#              SPION_PYTHON      the Python that makes and uses them
#              SPION_TORCH_DIR   a LibTorch or torch package folder to use instead of our own
#              SPION_NO_INSTALL  when set, never install: print the commands and stop

stop_setup() {
  echo "setup: $*" >&2
  exit 1
}

# ---- What is there ----

# Fills `installed`, the version of each wanted Debian package that is there, and `wanted`, the
# upstream versions that are known to work.
look_at_packages() {
  local pair status name version
  installed=() wanted=()
  for pair in ${BAZEL_PACKAGES//,/ } ${BUILD_PACKAGES//,/ } ${LIBRARY_PACKAGES//,/ }; do
    wanted[${pair%%:*}]=${pair#*:}
  done
  while read -r status name version; do
    [[ $status == installed ]] && installed[$name]=$version
  done < <(dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' "${!wanted[@]}" 2>/dev/null)
  return 0
}

missing_packages() {
  local name
  for name in "${!wanted[@]}"; do
    [[ -n ${installed[$name]:-} ]] || echo "$name"
  done | sort
}

# Says which packages have a version that nobody has tried.
report_versions() {
  local name known
  for name in "${!installed[@]}"; do
    for known in ${wanted[$name]//\// }; do
      [[ ${installed[$name]#*[0-9]:} == "$known"* ]] && continue 2  # without Debian's epoch
    done
    echo "setup: $name is version ${installed[$name]}; SPION is tested with" \
      "${wanted[$name]//\// and }" >&2
  done
}

has_nvcc() { [[ -x ${CUDA_HOME:-/usr/local/cuda}/bin/nvcc ]]; }

# The folder of a Python environment; its key is that of versions.env. LibTorch has one for each
# flavour, so that installing CUDA later brings the whole. The whole serves a machine without nvcc
# too.
environment() {
  local version=$1_VERSION env
  env=$SPION_CACHE_DIR/${1,,}-${!version}
  [[ $1 == TORCH ]] || { echo "$env"; return; }
  if [[ -f $env-cuda/complete ]] || has_nvcc; then echo "$env-cuda"; else echo "$env-cpu"; fi
}

torch_is_there() {
  [[ -n ${SPION_TORCH_DIR:-} ]] && return 0  # checked before: choices.sh
  [[ -f $(environment TORCH)/complete ]] && return 0
  [[ $("$SPION_PYTHON" -c 'import importlib.metadata as m; print(m.version("torch"))' 2>/dev/null) \
    == "$TORCH_VERSION"* ]]
}

# Keys of the environments that are not there. Packages for another version of Python are of no use;
# of torch's environment only LibTorch is used.
missing_environments() {
  local key env python
  torch_is_there || echo TORCH
  python=$(python_name)
  for key in MATPLOTLIB TENSORBOARD MLPERF_LOGGING; do
    env=$(environment "$key")
    [[ -f $env/complete && -d $env/lib/$python ]] || echo "$key"
  done
}

# ---- The plan ----

# A command is planned as its words: `words` has those of all commands, `lengths` how many each has.
plan() {
  words+=("$@")
  lengths+=("$#")
}

# Calls the function $1 with the words of each planned command, up to one that fails.
for_each_command() {
  local length at=0
  for length in "${lengths[@]}"; do
    "$1" "${words[@]:at:length}" || return
    ((at += length))
  done
}

plan_packages() {
  reasons+=("Debian packages: $* (Bazel, the compiler, and the libraries SPION links)")
  plan apt-get update -qq
  plan env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$@"
}

purpose() {
  case $1 in
    *-cuda) echo "LibTorch, with CUDA, about 5 GB" ;;
    *-cpu) echo "LibTorch, CPU only, as there is no nvcc, about 1.5 GB" ;;
    */matplotlib-*) echo "draws the tables' pictures, about 0.2 GB" ;;
    */tensorboard-*) echo "shows runs in a browser, about 0.2 GB" ;;
    */mlperf_logging-*) echo "checks a run's MLPerf log in a test, about 30 MB" ;;
  esac
}

# The environment of key $1, made anew. Only what is an environment already is ever emptied.
plan_environment() {
  local env version=$1_VERSION companions=$1_COMPANIONS empty=() wheels=()
  env=$(environment "$1")
  if [[ -f $env/pyvenv.cfg ]]; then
    empty=(--clear)
  elif [[ -n $(ls -A "$env" 2>/dev/null) ]]; then
    stop_setup "$env is in the way: it is not empty, and no Python environment (it has no" \
      "pyvenv.cfg). Nothing was installed. Move it, or set SPION_CACHE_DIR to another folder"
  fi
  wheels=("${1,,}==${!version}")
  if [[ $env != *-cuda ]]; then
    wheels=(--no-deps "${wheels[@]}" ${!companions//,/ })
  fi
  reasons+=("${1,,} ${!version} into $env ($(purpose "$env"))")
  plan "$SPION_PYTHON" -m venv "${empty[@]}" "$env"
  plan "$env/bin/pip" install --quiet --disable-pip-version-check "${wheels[@]}"
  plan touch "$env/complete"
}

# Fills `words` and `lengths` (what to run, in order), `reasons` (for the user) and `packages`
# (of apt).
plan_setup() {
  local environments key
  words=() lengths=() reasons=()
  look_at_packages
  mapfile -t packages < <(missing_packages)
  mapfile -t environments < <(missing_environments)
  if ((${#environments[@]})) && ! "$SPION_PYTHON" -c 'import venv, ensurepip' 2>/dev/null; then
    packages+=(python3-venv)
  fi
  ((${#packages[@]} == 0)) || plan_packages "${packages[@]}"
  for key in "${environments[@]}"; do plan_environment "$key"; done
}

# ---- Carrying it out ----

# The words of a command as they can be typed into a shell.
typed() {
  local line
  printf -v line '%q ' "$@"
  echo "${line% }"
}

print_command() { echo "  $(typed "$@")" >&2; }

run_command() {
  local log=$SPION_CACHE_DIR/setup.log
  echo "setup: $(typed "$@")" >&2
  "$@" >"$log" 2>&1 && return
  tail -n 20 "$log" >&2
  stop_setup "that command failed; its whole output is in $log"
}

# Else the shell would say that it may not open it, and no more.
check_lock() {
  [[ ! -e $1 || -w $1 ]] ||
    stop_setup "$1 belongs to $(stat -c %U "$1"): a cache folder is one user's; set SPION_CACHE_DIR" \
      "to another folder"
}

setup_machine() {
  setup_installed=0
  local root=$1 packages words lengths reasons
  local -A installed wanted
  source "$root/third_party/versions.env"
  if ! command -v dpkg-query >/dev/null; then
    echo "setup: this is not a Debian system, so nothing is checked or installed;" \
      "third_party/versions.env lists what SPION needs" >&2
    return 0
  fi
  plan_setup
  report_versions
  ((${#lengths[@]})) || return 0

  echo "setup: this machine lacks:" >&2
  printf '  - %s\n' "${reasons[@]}" >&2
  if [[ -n ${SPION_NO_INSTALL:-} ]] || ((${#packages[@]} && $(id -u) != 0)); then
    echo "setup: run these commands (the apt-get lines as root), then try again:" >&2
    for_each_command print_command
    exit 1
  fi
  check_lock "$SPION_CACHE_DIR/setup.lock"
  (
    flock 9
    plan_setup  # another checkout may have installed it all while this one waited
    for_each_command run_command
  ) 9>"$SPION_CACHE_DIR/setup.lock" || exit 1
  setup_installed=1
  echo "setup: done" >&2
}
