# Sourced by tools/bazel: finds out what this machine lacks and installs just that.
#
# setup_machine ROOT   returns when all is there; otherwise installs (as root), or prints the
#                      exact commands (not root) and exits 1. Prints nothing when all is there.
#                      Sets setup_installed to 1 if it installed something.
#
# Environment: SPION_TORCH_DIR   a LibTorch or torch package folder to use instead of our own
#              SPION_CACHE_DIR   where our own goes (default: the user's cache folder)
#              SPION_NO_INSTALL  when set, never install: print the commands and stop

spion_cache_dir() { echo "${SPION_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/spion}"; }

# Name:version pairs of the packages that are not installed.
missing_packages() {
  local wanted=$1 installed pair name version
  declare -A have=()
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' \
    $(sed -E 's/:[^,]*(,|$)/ /g' <<<"$wanted") 2>/dev/null || true)
  while read -r status name version; do
    [[ $status == installed ]] && have[$name]=$version
  done <<<"$installed"
  for pair in ${wanted//,/ }; do
    name=${pair%%:*} version=${pair#*:}
    if [[ -z ${have[$name]:-} ]]; then
      echo "$name"
    elif [[ ${have[$name]#*[0-9]:} != "$version"* ]]; then  # without Debian's epoch
      echo "setup: $name is version ${have[$name]}; SPION is made and tested with $version" >&2
    fi
  done
}

find_nvcc() {
  local home
  for home in "${CUDA_HOME:-}" /usr/local/cuda; do
    [[ -n $home && -x $home/bin/nvcc ]] && return 0
  done
  return 1
}

# The environment's folder: one for each flavour, so that installing CUDA later brings the whole.
# The whole serves a machine without nvcc too.
torch_environment() {
  local cpu cuda
  cpu=$(spion_cache_dir)/torch-$TORCH_VERSION-cpu
  cuda=$(spion_cache_dir)/torch-$TORCH_VERSION-cuda
  if [[ -f $cuda/complete ]] || find_nvcc; then echo "$cuda"; else echo "$cpu"; fi
}

torch_is_there() {
  [[ -n ${SPION_TORCH_DIR:-} ]] && return 0  # checked by the repository rule
  [[ -f $(torch_environment)/complete ]] && return 0
  [[ $(python3 -c 'import importlib.metadata as m; print(m.version("torch"))' 2>/dev/null) \
    == "$TORCH_VERSION"* ]]
}

# The commands that make the environment, one a line.
torch_commands() {
  local env=$1
  echo "python3 -m venv --clear $env"
  if [[ $env == *-cuda ]]; then
    echo "$env/bin/pip install --quiet --disable-pip-version-check torch==$TORCH_VERSION"
  else
    echo "$env/bin/pip install --quiet --disable-pip-version-check --no-deps" \
      "torch==$TORCH_VERSION ${TORCH_CPU_COMPANIONS//,/ }"
  fi
  echo "touch $env/complete"
}

# Of a Python package that versions.env pins with all that it needs; $1 is its key there.
python_environment() { local version=$1_VERSION; echo "$(spion_cache_dir)/${1,,}-${!version}"; }

python_commands() {
  local env version=$1_VERSION companions=$1_COMPANIONS
  env=$(python_environment "$1")
  echo "python3 -m venv --clear $env"
  echo "$env/bin/pip install --quiet --disable-pip-version-check --no-deps" \
    "${1,,}==${!version} ${!companions//,/ }"
  echo "touch $env/complete"
}

# Of $1, if it is not there; $2 is what it is for.
plan_python_package() {
  local env line version=$1_VERSION
  env=$(python_environment "$1")
  [[ -f $env/complete ]] && return
  reasons+=("${1,,} ${!version} into $env ($2)")
  while read -r line; do commands+=("$line"); done < <(python_commands "$1")
}

# Fills `commands` (what to run, in order), `reasons` (for the user) and `packages` (of apt).
plan_setup() {
  local env line
  commands=() reasons=()
  packages=$(missing_packages "$BAZEL_PACKAGES,$BUILD_PACKAGES,$LIBRARY_PACKAGES" | tr '\n' ' ')
  if ! torch_is_there; then
    env=$(torch_environment)
    reasons+=("LibTorch $TORCH_VERSION into $env (the tensor library; $(
      [[ $env == *-cuda ]] && echo "with CUDA, about 5 GB" || echo "CPU only, as there is no nvcc, about 1.5 GB"))")
    while read -r line; do commands+=("$line"); done < <(torch_commands "$env")
  fi
  plan_python_package MATPLOTLIB "draws the tables' pictures, about 0.2 GB"
  plan_python_package TENSORBOARD "shows runs in a browser, about 0.2 GB"
  plan_python_package MLPERF_LOGGING "checks a run's MLPerf log in a test, about 30 MB"
  if ((${#commands[@]})); then
    python3 -c 'import venv, ensurepip' 2>/dev/null || packages+="python3-venv "
  fi
  if [[ -n $packages ]]; then
    reasons=("Debian packages: $packages(Bazel, the compiler, and the libraries SPION links)" "${reasons[@]}")
    commands=("apt-get update -qq" "env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $packages" "${commands[@]}")
  fi
}

setup_machine() {
  setup_installed=0
  local root=$1 packages commands reasons line log
  source "$root/third_party/versions.env"
  if ! command -v dpkg-query >/dev/null; then
    echo "setup: this is not a Debian system, so nothing is checked or installed;" \
      "CONTRIBUTING.md lists what SPION needs" >&2
    return 0
  fi
  plan_setup
  ((${#commands[@]})) || return 0

  echo "setup: this machine lacks:" >&2
  printf '  - %s\n' "${reasons[@]}" >&2
  if [[ -n ${SPION_NO_INSTALL:-} || ( -n $packages && $(id -u) != 0 ) ]]; then
    echo "setup: run these commands (the apt-get lines as root), then try again:" >&2
    printf '  %s\n' "${commands[@]}" >&2
    exit 1
  fi
  mkdir -p "$(spion_cache_dir)"
  log=$(spion_cache_dir)/setup.log
  (
    flock 9
    plan_setup  # another checkout may have installed it all while this one waited
    for line in "${commands[@]}"; do
      echo "setup: $line" >&2
      $line >"$log" 2>&1 && continue
      tail -n 20 "$log" >&2
      echo "setup: that command failed; its whole output is in $log" >&2
      exit 1
    done
  ) 9>"$(spion_cache_dir)/setup.lock" || exit 1
  setup_installed=1
  echo "setup: done" >&2
}
