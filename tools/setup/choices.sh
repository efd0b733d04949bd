# Sourced by tools/bazel: whether LibTorch and the CUDA toolkit that the user's variables name are
# what SPION builds with. The repository rules (third_party/torch, third_party/cuda) ask it too, but
# say it below a traceback.
#
# check_choices ROOT   returns where they are; else one message, exit 1.
#
# Environment: SPION_TORCH_DIR   a LibTorch or torch package folder, if set
#              CUDA_HOME         the CUDA toolkit; if not set, /usr/local/cuda, where it is there

refuse_choice() {
  echo "tools/bazel: $*" >&2
  exit 1
}

# Of an archive or of a wheel; empty where it has none.
torch_version() {
  if [[ -f $1/build-version ]]; then
    head -n 1 "$1/build-version"
  elif [[ -f $1/version.py ]]; then
    sed -n "s/^__version__ *= *['\"]\(.*\)['\"].*/\1/p" "$1/version.py"
  fi
}

check_torch() {
  [[ -n ${SPION_TORCH_DIR:-} ]] || return 0
  local needed version way
  way="set it to the torch folder of the wheel torch $TORCH_VERSION or to an unpacked LibTorch of"
  way+=" that version, or unset it, and tools/bazel installs one"
  for needed in include/ATen/ATen.h lib/libtorch_cpu.so; do
    [[ -e $SPION_TORCH_DIR/$needed ]] ||
      refuse_choice "SPION_TORCH_DIR=$SPION_TORCH_DIR has no $needed; $way"
  done
  version=$(torch_version "$SPION_TORCH_DIR")
  [[ ${version%%+*} == "$TORCH_VERSION" ]] ||
    refuse_choice "SPION_TORCH_DIR=$SPION_TORCH_DIR is version ${version:-unknown}; $way"
}

check_cuda() {
  local home=${CUDA_HOME:-/usr/local/cuda} told
  local way="CUDA_HOME names a CUDA $CUDA_MAJOR toolkit; where it is not set, /usr/local/cuda is"
  way+=" taken, or the build is for the CPU alone where that is not there"
  if [[ ! -x $home/bin/nvcc ]]; then
    [[ -z ${CUDA_HOME:-} ]] || refuse_choice "CUDA_HOME=$home has no bin/nvcc; $way"
    return 0
  fi
  told=$("$home/bin/nvcc" --version 2>/dev/null) || true
  [[ $told =~ V([0-9]+)\.[0-9]+\.[0-9]+ ]] ||
    refuse_choice "$home/bin/nvcc tells no version of its own; $way"
  [[ ${BASH_REMATCH[1]} == "$CUDA_MAJOR" ]] ||
    refuse_choice "$home/bin/nvcc is of CUDA ${BASH_REMATCH[1]}; $way"
}

check_choices() {
  source "$1/third_party/versions.env"
  check_torch
  check_cuda
}
