# Sourced by tools/bazel: decides where all goes that is made outside the checkout.
#
# choose_folders ROOT   exports SPION_CACHE_DIR, the folder of LibTorch, of the other Python
#                       environments and of compiled files, and sets `output_options`, startup
#                       options of Bazel: empty where Bazel's own choice will do. What Bazel 4 cannot
#                       work with is refused: one message, exit 1.
#
# Environment: SPION_CACHE_DIR   that folder; if not set, spion/ in
#              XDG_CACHE_HOME    the user's cache folder; if not set, .cache/ in
#              HOME
#              SPION_TORCH_DIR, CUDA_HOME   their paths are checked only; choices.sh has the rest

refuse_folder() {
  echo "tools/bazel: $*" >&2
  exit 1
}

# Bazel 4 builds in no folder whose path has a space, and hands other paths unquoted to the linker.
# $1 says what $2 is, and $3 the way out.
check_path() {
  [[ $2 == /* && $2 != *[[:space:]]* ]] ||
    refuse_folder "$1 \"$2\" is no absolute path without spaces, and Bazel 4 needs one; $3"
}

choose_folders() {
  local root=$1 variable caches output folder
  local way="set SPION_CACHE_DIR to a folder for LibTorch, compiled files and Bazel's own"
  local usual=${HOME:+$HOME/.cache}
  check_path "the checkout" "$root" "move it to such a folder"
  for variable in SPION_TORCH_DIR CUDA_HOME; do
    [[ -z ${!variable:-} ]] || check_path "$variable" "${!variable}" "link it to one, or unset it"
  done

  caches=${XDG_CACHE_HOME:-$usual}
  export SPION_CACHE_DIR=${SPION_CACHE_DIR:-${caches:+$caches/spion}}
  [[ -n $SPION_CACHE_DIR ]] || refuse_folder "HOME is not set; set it, or $way"
  check_path "the cache folder" "$SPION_CACHE_DIR" "$way"

  # Bazel 4 knows HOME alone: it takes .cache/bazel there, and names a folder in it after USER.
  if [[ $SPION_CACHE_DIR == "$usual/spion" ]]; then
    output=$usual/bazel
    output_options=()
  else
    output=$SPION_CACHE_DIR/output
    output_options=("--output_user_root=$output")
  fi
  export USER=${USER:-$(id -un 2>/dev/null || id -u)}
  for folder in "$SPION_CACHE_DIR" "$output"; do
    mkdir -p "$folder" 2>/dev/null || refuse_folder "$folder cannot be made; $way"
    [[ -w $folder ]] || refuse_folder "$folder cannot be written to; $way"
  done
}
